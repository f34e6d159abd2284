import java.util.List;

/**
 * android.hardware.biometrics.fingerprint and .face, version 4, without Android's own types: one ISession for both, the
 * fields of a frame one by one. Left out are WithContext variants, pointer events and settings of a display.
 */
interface Aidl {
    interface IFingerprint {
        ISession createSession(int sensorId, int userId, ISessionCallback cb);
    }

    interface IFace {
        ISession createSession(int sensorId, int userId, ISessionCallback cb);
    }

    interface ICancellationSignal {
        void cancel();
    }

    interface ISession {
        void generateChallenge();
        void revokeChallenge(long challenge);
        ICancellationSignal enroll(HardwareAuthToken hat);
        ICancellationSignal enrollWithOptions(FaceEnrollOptions options);
        ICancellationSignal authenticate(long operationId);
        ICancellationSignal detectInteraction();
        void enumerateEnrollments();
        void removeEnrollments(List<Object> enrollmentIds);
        void getFeatures();
        void setFeature(HardwareAuthToken hat, byte feature, boolean enabled);
        void getAuthenticatorId();
        void invalidateAuthenticatorId();
        void resetLockout(HardwareAuthToken hat);
        void close();
    }

    /** The reason of an error is not Android's: our code for what it has none for. */
    interface ISessionCallback {
        void onChallengeGenerated(long challenge);
        void onChallengeRevoked(long challenge);
        void onAcquired(byte info, int vendorCode);
        void onEnrollmentFrame(byte info, int vendorCode, byte stage, Object cell, int pan, int tilt);
        void onEnrollmentProgress(int enrollmentId, int remaining);
        void onAuthenticationSucceeded(int enrollmentId, HardwareAuthToken hat);
        void onAuthenticationFailed();
        void onLockoutTimed(long durationMillis);
        void onLockoutPermanent();
        void onLockoutCleared();
        void onInteractionDetected();
        void onEnrollmentsEnumerated(List<Object> enrollmentIds);
        void onEnrollmentsRemoved(List<Object> enrollmentIds);
        void onAuthenticatorIdRetrieved(long authenticatorId);
        void onAuthenticatorIdInvalidated(long newAuthenticatorId);
        void onFeaturesRetrieved(List<Object> features);
        void onFeatureSet(byte feature);
        void onError(byte error, int vendorCode, String reason);
        void onSessionClosed();
        void onAuthenticationFrame(byte info, int vendorCode, int pan, int tilt);
    }

    record FaceEnrollOptions(HardwareAuthToken hardwareAuthToken, byte enrollmentType, List<Object> features) {}

    /** hw_auth_token_t of 69 bytes. */
    record HardwareAuthToken(byte[] bytes) {}
}
