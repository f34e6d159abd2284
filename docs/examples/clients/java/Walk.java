import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.util.stream.Collectors.joining;

import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** One walk through a device from a fresh one to its closed sessions, as in the other languages: Walk DIR [FRAMES]. */
final class Walk {
    private static final int USER = 10, FINGERPRINT = 1, FACE = 2, UNLOCK = 1, KEY_USE = 2, HMAC_SHA256 = 128;
    private static final byte[] NAME = Hal.name(USER), PIN = "4711".getBytes(US_ASCII), NONE = {};
    private static final byte[] MESSAGE = "message".getBytes(US_ASCII);
    private final Map<String, Object[]> seen = new HashMap<>();
    private final Aidl.ISessionCallback callback = (Aidl.ISessionCallback) Proxy.newProxyInstance(
            Walk.class.getClassLoader(), new Class<?>[] {Aidl.ISessionCallback.class}, (proxy, method, given) -> {
                Object[] fields = given == null ? new Object[0] : given;
                seen.put(method.getName(), fields);
                say("  " + method.getName() + Stream.of(fields).map(Walk::shown).collect(joining(", ", "(", ")")));
                return null;
            });
    private final Connection server;
    private final Object user;
    private Hal.Session session;

    /** A value of a callback; what is in a byte string is nobody's business. */
    private static String shown(Object value) {
        if (value instanceof Aidl.HardwareAuthToken token) return token.bytes().length + " bytes";
        if (value instanceof byte[] bytes) return bytes.length + " bytes";
        return value instanceof Long number ? Long.toUnsignedString(number) : String.valueOf(value);
    }

    private static void say(String line) {
        System.out.println(line);
    }

    /** A field of a callback that must have come. */
    private Object came(String name, int place) {
        if (!seen.containsKey(name)) throw new Failure("", name + " did not come");
        return seen.get(name)[place];
    }

    private Object ask(int method, Object... fields) {
        return server.call(method, 1, fields).get(0);
    }

    private Aidl.HardwareAuthToken pinToken(Number challenge) {
        return new Aidl.HardwareAuthToken(Connection.field(ask(11, NAME, PIN, challenge), byte[].class));
    }

    private void present(int person, int position, int impression) {
        var sample = server.call(100, 2, person, position, impression);
        server.call(45, 0, session.number(), sample.get(0), sample.get(1), null);
    }

    private void open(int sensor) {
        say("createSession " + sensor);
        session = new Hal(server).createSession(sensor, USER, callback);
    }

    private void enroll(int position) {
        say("generateChallenge");
        session.generateChallenge();
        var hat = pinToken(Cbor.unsigned((Long) came("onChallengeGenerated", 0)));
        say("enroll");
        if (position > 0) session.enroll(hat);
        else session.enrollWithOptions(new Aidl.FaceEnrollOptions(hat, (byte) 0, List.of()));
        seen.put("onEnrollmentProgress", new Object[] {0, 1});
        for (int i = 0; i < 16 && !came("onEnrollmentProgress", 1).equals(0); i++) present(1, position, i);
    }

    private Aidl.ICancellationSignal begin(long operationId) {
        say("authenticate");
        return session.authenticate(operationId);
    }

    private byte[] authenticate(long operationId, int position) {
        begin(operationId);
        present(1, position, 20);
        var hat = (Aidl.HardwareAuthToken) came("onAuthenticationSucceeded", 1);
        var told = server.call(55, 5, (Object) hat.bytes());
        var wanted = List.of(Cbor.unsigned(operationId), user, told.get(2), 2L);
        if (!told.subList(0, 4).equals(wanted) || told.get(2).equals(0L)) throw new Failure("", "another token");
        say("token is genuine");
        return hat.bytes();
    }

    private void cancel(Aidl.ICancellationSignal signal) {
        say("cancel");
        signal.cancel();
    }

    /** Touches with a wrong finger until that is over for good; what is locked for a time is waited out. */
    private void lockOut() {
        while (!seen.containsKey("onLockoutPermanent")) {
            seen.remove("onLockoutTimed");
            var signal = begin(0);
            for (int i = 0; i < 5; i++) present(2, 1, i);
            cancel(signal);
            if (!seen.containsKey("onLockoutTimed")) continue;
            say("clock advances");
            server.call(81, 3, came("onLockoutTimed", 0));
        }
    }

    private void useKey() {
        Object key = server.call(60, 3, NAME, HMAC_SHA256, true, true, null).get(0);
        try {
            ask(62, ask(61, key, NONE), MESSAGE, NONE);
        } catch (Failure refusal) {
            say("key without a token: " + refusal.code);
        }
        var operation = (Number) ask(61, key, NONE);
        say("signature: " + shown(ask(62, operation, MESSAGE, authenticate(operation.longValue(), 1))));
    }

    private Walk(String directory, String frames) throws IOException {
        server = new Connection(List.of("bioguard", "--device", directory, "serve", "--stdio", "--protocol", "2"));
        say("hello " + server.hello.get(0));
        if (frames != null) {
            int[] counts = server.replay(Files.readAllBytes(Path.of(frames)));
            say("replayed " + counts[0] + " requests, " + counts[1] + " frames as recorded");
        }
        server.call(1, 0, (Object) NAME);
        var purposes = List.of(UNLOCK, KEY_USE);
        for (int modality : List.of(FINGERPRINT, FACE)) server.call(4, 0, NAME, modality, purposes, 365, true, NONE);
        user = ask(10, NAME, PIN, null);
        open(0);
        enroll(1);
        authenticate(77, 1);
        lockOut();
        var hat = pinToken(0);
        say("resetLockout");
        session.resetLockout(hat);
        useKey();
        cancel(begin(0));
        session.close();
        open(1);
        enroll(0);
        authenticate(78, 0);
        session.close();
    }

    public static void main(String[] arguments) throws InterruptedException {
        try {
            var server = new Walk(arguments[0], arguments.length > 1 ? arguments[1] : null).server;
            server.process.getOutputStream().close();
            say("exit code " + server.process.waitFor());
        } catch (Failure error) {
            String code = error.code.isEmpty() ? "" : "refused: " + error.code + ": ";
            System.err.println("client: " + code + error.getMessage());
            System.exit(1);
        } catch (IOException error) {
            System.err.println("client: the server is gone");
            System.exit(1);
        }
    }
}
