import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Reads bodies (u32 little-endian length, bytes) and prints 1 for each that the client's codec takes, 0 for others. */
final class Verdicts {
    public static void main(String[] arguments) throws IOException {
        var in = ByteBuffer.wrap(System.in.readAllBytes()).order(ByteOrder.LITTLE_ENDIAN);
        var verdicts = new StringBuilder();
        while (in.hasRemaining()) {
            byte[] body = new byte[in.getInt()];
            in.get(body);
            try {
                Cbor.decode(body);
                verdicts.append('1');
            } catch (Failure error) {
                verdicts.append('0');
            }
        }
        System.out.print(verdicts);
    }
}
