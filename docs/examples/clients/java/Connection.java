import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;

/** The server as a child process: requests, answers, and the events that stand before an answer. */
final class Connection {
    private static final int VERSION = 2, MAX_FRAME_BYTES = 1 << 20, REFUSAL = 1, EVENT = 2, HELLO_FIELDS = 14;
    /** How many fields each event has, by number; a later server has more events. */
    private static final int[] EVENT_FIELDS = {0, 1, 1, 2, 6, 2, 2, 0, 1, 0, 0, 0, 1, 1, 1, 1, 1, 1, 3, 0, 1, 4};
    final Process process;
    final List<Object> hello;
    /** Who takes the events of a session. */
    final Map<Long, BiConsumer<Long, List<Object>>> sessions = new HashMap<>();
    private long id, sequence;

    Connection(List<String> command) throws IOException {
        process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        hello = answer(0, HELLO_FIELDS);
        if (field(hello.get(0), Long.class) != VERSION) throw new Failure("", "another protocol version");
    }

    static <T> T field(Object value, Class<T> kind) {
        if (kind.isInstance(value)) return kind.cast(value);
        throw new Failure("", "a field has another type");
    }

    static String text(Object value) {
        return field(value, String.class);
    }

    /** A field that is a list, of {@code size} fields unless that is negative. */
    @SuppressWarnings("unchecked")
    static List<Object> array(Object value, int size) {
        List<Object> items = field(value, List.class);
        if (size >= 0 && items.size() != size) throw new Failure("", "another number of fields");
        return items;
    }

    private void send(byte[] body) throws IOException {
        var to = process.getOutputStream();
        to.write(ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(body.length).array());
        to.write(body);
        to.flush();
    }

    private byte[] read(int size) throws IOException {
        byte[] data = process.getInputStream().readNBytes(size);
        if (data.length < size) throw new IOException("the end");
        return data;
    }

    private byte[] receive() throws IOException {
        int size = ByteBuffer.wrap(read(4)).order(ByteOrder.LITTLE_ENDIAN).getInt();
        if (size <= 0 || size > MAX_FRAME_BYTES) throw new Failure("", "frame length is out of bounds");
        return read(size);
    }

    private List<Object> answer(long wanted, int size) throws IOException {
        for (;;) {
            var frame = array(Cbor.decode(receive()), 4);
            if (field(frame.get(0), Long.class) != VERSION) throw new Failure("", "another protocol version");
            long from = field(frame.get(1), Long.class), kind = field(frame.get(2), Long.class);
            if (kind > EVENT) throw new Failure("", "no such kind of frame");
            if (kind != EVENT && from != wanted) throw new Failure("", "answer to another request");
            var fields = array(frame.get(3), kind == 0 ? size : 4);
            if (kind == REFUSAL) throw new Failure(text(fields.get(0)), text(fields.get(1)));
            if (kind != EVENT) return fields;
            if (field(fields.get(0), Long.class) != ++sequence) throw new Failure("", "an event is missing");
            field(fields.get(1), Long.class);
            long event = field(fields.get(2), Long.class);
            var told = array(fields.get(3), event < EVENT_FIELDS.length ? EVENT_FIELDS[(int) event] : -1);
            sessions.getOrDefault(from, (number, rest) -> { }).accept(event, told);
        }
    }

    /** Sends a request; the fields of its answer, of which there must be {@code size}. */
    List<Object> call(int method, int size, Object... fields) {
        try {
            send(Cbor.encode(List.of(VERSION, ++id, method, Arrays.asList(fields))));
            return answer(id, size);
        } catch (IOException error) {
            throw new Failure("", "the server is gone");
        }
    }

    /** Sends recorded requests and compares what comes; how many requests, and frames that came as recorded. */
    int[] replay(byte[] data) throws IOException {
        int[] counts = new int[2];
        var file = ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN);
        while (file.hasRemaining()) {
            byte way = file.get();
            byte[] body = new byte[file.getInt()];
            file.get(body);
            counts[way == '>' ? 0 : 1]++;
            if (way == '>') send(body);
            else if (!Arrays.equals(receive(), body)) throw new Failure("", "a frame differs from the recorded one");
            else if (array(Cbor.decode(body), 4).get(2).equals((long) EVENT)) sequence++;
        }
        return counts;
    }
}
