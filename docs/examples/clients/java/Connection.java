import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The server as a child process: requests, answers, and the events that stand before an answer. */
final class Connection implements AutoCloseable {
    /** A refusal of the server: code and exitCode are stable, message and hint are for people. */
    static final class Refused extends RuntimeException {
        private static final long serialVersionUID = 1;
        final String code, hint;
        final int exitCode;

        Refused(List<Object> fields) {
            super(field(fields.get(1), String.class));
            code = field(fields.get(0), String.class);
            hint = field(fields.get(2), String.class);
            exitCode = field(fields.get(3), Long.class).intValue();
        }
    }

    /** Takes the events of one session (0: the device). */
    interface Events {
        void on(int event, List<Object> fields);
    }

    private static final int VERSION = 2, MAX_FRAME_BYTES = 1 << 20, ANSWER = 0, REFUSAL = 1, EVENT = 2, HELLO_FIELDS = 14;
    private final Map<Long, Events> sessions = new HashMap<>();
    private final Process process;
    private final InputStream from;
    private final OutputStream to;
    private long id, sequence;
    final List<Object> hello;

    Connection(List<String> command) throws IOException {
        process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        from = process.getInputStream();
        to = process.getOutputStream();
        hello = answer(0, HELLO_FIELDS);
    }

    static <T> T field(Object value, Class<T> kind) {
        if (!kind.isInstance(value)) throw new Cbor.Malformed("a field has another type");
        return kind.cast(value);
    }

    @SuppressWarnings("unchecked")
    static List<Object> array(Object value, int size) {
        List<Object> items = field(value, List.class);
        if (size >= 0 && items.size() != size) throw new Cbor.Malformed("another number of fields");
        return items;
    }

    void listen(long session, Events events) {
        sessions.put(session, events);
    }

    private void send(byte[] body) {
        try {
            to.write(ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(body.length).array());
            to.write(body);
            to.flush();
        } catch (IOException error) {
            throw new Cbor.Malformed("the server is gone");
        }
    }

    private byte[] read(int size) {
        try {
            byte[] data = from.readNBytes(size);
            if (data.length == size) return data;
        } catch (IOException error) {
            // said below
        }
        throw new Cbor.Malformed("the server is gone");
    }

    private byte[] receive() {
        int size = ByteBuffer.wrap(read(4)).order(ByteOrder.LITTLE_ENDIAN).getInt();
        if (size <= 0 || size > MAX_FRAME_BYTES) throw new Cbor.Malformed("frame length is out of bounds");
        return read(size);
    }

    private List<Object> answer(long wanted, int size) {
        for (;;) {
            var frame = array(Cbor.decode(receive()), 4);
            if (field(frame.get(0), Long.class) != VERSION) throw new Cbor.Malformed("another protocol version");
            long ident = field(frame.get(1), Long.class), kind = field(frame.get(2), Long.class);
            if (kind == EVENT) {
                event(ident, array(frame.get(3), 4));
                continue;
            }
            if (kind != ANSWER && kind != REFUSAL) throw new Cbor.Malformed("no such kind of frame");
            if (ident != wanted) throw new Cbor.Malformed("answer to another request");
            if (kind == REFUSAL) throw new Refused(array(frame.get(3), 4));
            return array(frame.get(3), size);
        }
    }

    private void event(long session, List<Object> body) {
        if (field(body.get(0), Long.class) != ++sequence) throw new Cbor.Malformed("an event is missing");
        field(body.get(1), Long.class);
        int event = field(body.get(2), Long.class).intValue();
        var fields = array(body.get(3), -1);
        if (sessions.containsKey(session)) sessions.get(session).on(event, fields);
    }

    /** Send a request; the fields of its answer, of which there must be {@code size}. Throws Refused or Malformed. */
    List<Object> call(int method, int size, Object... fields) {
        send(Cbor.encode(List.of((long) VERSION, ++id, (long) method, Arrays.asList(fields))));
        return answer(id, size);
    }

    /** Send the recorded requests and compare what comes; {requests, frames that came as recorded}. */
    int[] replay(byte[] data) {
        int[] counts = new int[2];
        var file = ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN);
        while (file.hasRemaining()) {
            byte way = file.get();
            byte[] body = new byte[file.getInt()];
            file.get(body);
            if (way == '>') {
                send(body);
                counts[0]++;
                continue;
            }
            if (!Arrays.equals(receive(), body)) throw new Cbor.Malformed("a frame differs from the recorded one");
            if (array(Cbor.decode(body), 4).get(2).equals((long) EVENT)) sequence++;
            counts[1]++;
        }
        return counts;
    }

    @Override
    public void close() throws IOException {
        to.close();
    }
}
