import java.io.DataInputStream;
import java.io.IOException;

/** Reads bodies (u32 little-endian length, bytes) and prints 1 for each that the client's codec takes, 0 for others. */
final class Verdicts {
    public static void main(String[] arguments) throws IOException {
        var in = new DataInputStream(System.in);
        var verdicts = new StringBuilder();
        while (in.available() > 0) {
            byte[] body = new byte[Integer.reverseBytes(in.readInt())];
            in.readFully(body);
            try {
                Cbor.decode(body);
                verdicts.append('1');
            } catch (Cbor.Malformed error) {
                verdicts.append('0');
            }
        }
        System.out.print(verdicts);
    }
}
