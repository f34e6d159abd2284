import java.io.ByteArrayOutputStream;
import java.math.BigInteger;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** CBOR of protocol 2: Long (above 2^63 - 1 BigInteger), byte[], String, Boolean, null and List. */
final class Cbor {
    private static final int MAX_DEPTH = 8, UNSIGNED = 0, BYTES = 2, TEXT = 3, ARRAY = 4;

    private Cbor() {}

    /** 64 bits as the unsigned number that they are on the wire. */
    static Number unsigned(long bits) {
        return bits >= 0 ? (Number) bits : new BigInteger(Long.toUnsignedString(bits));
    }

    static byte[] encode(Object value) {
        var out = new ByteArrayOutputStream();
        write(out, value);
        return out.toByteArray();
    }

    private static void write(ByteArrayOutputStream out, Object value) {
        if (value == null) out.write(0xf6);
        else if (value instanceof Boolean truth) out.write(truth ? 0xf5 : 0xf4);
        else if (value instanceof Number number) head(out, UNSIGNED, number.longValue());
        else if (value instanceof List<?> items) {
            head(out, ARRAY, items.size());
            items.forEach(item -> write(out, item));
        } else {
            byte[] bytes = value instanceof String text ? text.getBytes(StandardCharsets.US_ASCII) : (byte[]) value;
            head(out, value instanceof String ? TEXT : BYTES, bytes.length);
            out.writeBytes(bytes);
        }
    }

    private static void head(ByteArrayOutputStream out, int major, long value) {
        int width = value >>> 32 != 0 ? 8 : value >= 1 << 16 ? 4 : value >= 1 << 8 ? 2 : value >= 24 ? 1 : 0;
        out.write(major << 5 | (width == 0 ? (int) value : 24 + Integer.numberOfTrailingZeros(width)));
        for (int i = width - 1; i >= 0; i--) out.write((int) (value >>> 8 * i));
    }

    /** The value of a body; Failure for anything that {@link #encode} would not have written byte for byte. */
    static Object decode(byte[] body) {
        try {
            Object value = item(ByteBuffer.wrap(body), MAX_DEPTH);
            if (Arrays.equals(encode(value), body)) return value;
        } catch (BufferUnderflowException error) {
            // said below
        }
        throw new Failure("", "frame is not canonical CBOR");
    }

    private static Object item(ByteBuffer body, int depth) {
        int head = body.get() & 0xff, major = head >> 5, info = head & 31;
        if (head >= 0xf4 && head <= 0xf6) return head == 0xf6 ? null : Boolean.valueOf(head == 0xf5);
        long argument = info == 24 ? body.get() & 0xff : info == 25 ? body.getShort() & 0xffff
                : info == 26 ? body.getInt() & 0xffffffffL : info == 27 ? body.getLong() : info;
        if (major == UNSIGNED) return unsigned(argument);
        boolean known = major == BYTES || major == TEXT || major == ARRAY && depth > 0;
        if (!known || Long.compareUnsigned(argument, body.remaining()) > 0) throw new BufferUnderflowException();
        if (major == ARRAY) {
            var items = new ArrayList<Object>();
            for (long i = 0; i < argument; i++) items.add(item(body, depth - 1));
            return items;
        }
        byte[] string = new byte[(int) argument];
        body.get(string);
        return major == BYTES ? string : new String(string, StandardCharsets.US_ASCII);
    }
}
