import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The HALs of a server: sessions whose callbacks come while a call waits for its answer. */
record Hal(Connection server) implements Aidl.IFingerprint, Aidl.IFace {
    /** A user of the device for each of Android's. */
    static byte[] name(int userId) {
        return ("user-" + userId).getBytes(java.nio.charset.StandardCharsets.US_ASCII);
    }

    @Override
    public Session createSession(int sensorId, int userId, Aidl.ISessionCallback cb) {
        var number = (Long) server.call(20, 1, name(userId), sensorId).get(0);
        server.sessions.put(number, (event, fields) -> tell(cb, event.intValue(), fields));
        return new Session(server, number);
    }

    record Session(Connection server, Long number) implements Aidl.ISession {
        private Aidl.ICancellationSignal begin(int method, Object... rest) {
            var fields = new ArrayList<Object>(List.of(number));
            fields.addAll(Arrays.asList(rest));
            Object operation = server.call(method, 1, fields.toArray()).get(0);
            return () -> server.call(22, 0, number, operation);
        }

        public void generateChallenge() { begin(23); }
        public void revokeChallenge(long challenge) { begin(24, Cbor.unsigned(challenge)); }
        public Aidl.ICancellationSignal authenticate(long id) { return begin(26, Cbor.unsigned(id), null); }
        public Aidl.ICancellationSignal detectInteraction() { return begin(27, (Object) null); }
        public void enumerateEnrollments() { begin(28); }
        public void removeEnrollments(List<Object> enrollmentIds) { begin(29, enrollmentIds); }
        public void getAuthenticatorId() { begin(30); }
        public void invalidateAuthenticatorId() { begin(31); }
        public void resetLockout(Aidl.HardwareAuthToken hat) { begin(32, hat.bytes()); }
        public void getFeatures() { begin(33); }
        public void setFeature(Aidl.HardwareAuthToken hat, byte of, boolean on) { begin(34, hat.bytes(), of, on); }
        public void close() { server.call(21, 0, number); }

        public Aidl.ICancellationSignal enroll(Aidl.HardwareAuthToken hat) {
            return begin(25, hat.bytes(), null, 0, null, null);
        }

        public Aidl.ICancellationSignal enrollWithOptions(Aidl.FaceEnrollOptions options) {
            var rest = List.of(options.enrollmentType(), options.features(), false);
            return begin(25, options.hardwareAuthToken().bytes(), null, 0, null, rest);
        }
    }

    private static void tell(Aidl.ISessionCallback cb, int event, List<Object> fields) {
        int[] f = fields.stream().mapToInt(value -> value instanceof Number number ? number.intValue() : 0).toArray();
        Object first = f.length > 0 ? fields.get(0) : null, last = f.length > 0 ? fields.get(f.length - 1) : null;
        switch (event) {
            case 1 -> cb.onChallengeGenerated(Connection.field(first, Number.class).longValue());
            case 2 -> cb.onChallengeRevoked(Connection.field(first, Number.class).longValue());
            case 3 -> cb.onAcquired((byte) f[0], f[1]);
            case 4 -> cb.onEnrollmentFrame((byte) f[0], f[1], (byte) f[2], fields.get(3), f[4], f[5]);
            case 5 -> cb.onEnrollmentProgress(f[0], f[1]);
            case 6 -> cb.onAuthenticationSucceeded(f[0], last == null ? null
                    : new Aidl.HardwareAuthToken(Connection.field(last, byte[].class)));
            case 7 -> cb.onAuthenticationFailed();
            case 8 -> cb.onLockoutTimed(Connection.field(first, Number.class).longValue());
            case 9 -> cb.onLockoutPermanent();
            case 10 -> cb.onLockoutCleared();
            case 11 -> cb.onInteractionDetected();
            case 12 -> cb.onEnrollmentsEnumerated(Connection.array(first, -1));
            case 13 -> cb.onEnrollmentsRemoved(Connection.array(first, -1));
            case 14 -> cb.onAuthenticatorIdRetrieved(Connection.field(first, Number.class).longValue());
            case 15 -> cb.onAuthenticatorIdInvalidated(Connection.field(first, Number.class).longValue());
            case 16 -> cb.onFeaturesRetrieved(Connection.array(first, -1));
            case 17 -> cb.onFeatureSet((byte) f[0]);
            case 18 -> cb.onError((byte) f[0], f[1], Connection.text(last));
            case 19 -> cb.onSessionClosed();
            case 21 -> cb.onAuthenticationFrame((byte) f[0], f[1], f[2], f[3]);
            default -> { } // of a later server, or of the device
        }
    }
}
