/** A refusal, with its stable code. No code: what the server must not send; nothing more can be said to it then. */
final class Failure extends RuntimeException {
    private static final long serialVersionUID = 1;
    final String code;

    Failure(String code, String message) {
        super(message);
        this.code = code;
    }
}
