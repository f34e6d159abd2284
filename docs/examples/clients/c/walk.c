/* One walk through a device from a fresh one to its closed sessions: cc -std=c99 -o walk walk.c && ./walk DIR [FRAMES]
 *
 * With FRAMES (`bioguard scenario frames`) it first repeats a recorded scenario and compares every frame.
 */
#define _POSIX_C_SOURCE 200809L
#include "bioguard2.h"
#include <inttypes.h>
#include <stdlib.h>

static const char name[] = "user-10", pin[] = "4711";
static const char *const callbacks[] = {
    "", "onChallengeGenerated", "onChallengeRevoked", "onAcquired", "onEnrollmentFrame", "onEnrollmentProgress",
    "onAuthenticationSucceeded", "onAuthenticationFailed", "onLockoutTimed", "onLockoutPermanent", "onLockoutCleared",
    "onInteractionDetected", "onEnrollmentsEnumerated", "onEnrollmentsRemoved", "onAuthenticatorIdRetrieved",
    "onAuthenticatorIdInvalidated", "onFeaturesRetrieved", "onFeatureSet", "onError", "onSessionClosed", "restarted",
    "onAuthenticationFrame"};
enum { GENERATED = 1, PROGRESS = 5, TIMED = 8, PERMANENT = 9, CALLBACKS = sizeof callbacks / sizeof *callbacks };
enum { FINGERPRINT = 1, FACE = 2, UNLOCK = 1, KEY_USE = 2, HMAC_SHA256 = 128, BIOMETRIC = 2, TOKEN_BYTES = 69 };

static struct bg2 c;
static uint64_t session, user, last[CALLBACKS]; /* the last number in the last callback of its kind, or 1 */
static uint8_t token[TOKEN_BYTES]; /* the last that came, in a callback or an answer */

static void check(int kind) {
    if (kind == BG2_ANSWER && !c.broken) return;
    if (c.broken) fprintf(stderr, "client: %s\n", c.broken);
    else fprintf(stderr, "client: refused: %s: %s\n", c.code, c.message);
    exit(1);
}

/* A call, and a call whose answer is one number. What is wrong with a number ends the next call. */
#define CALL(...) check(bg2_call(&c, __VA_ARGS__))
#define ASK(method, ...) (check(bg2_call(&c, method, 1, __VA_ARGS__)), bg2_get_number(&c))

static void take(uint8_t *to, size_t wanted) {
    size_t size;
    const void *bytes = bg2_get_string(&c, BG2_BYTES, &size);
    if (size != wanted) bg2_break(&c, "a field has another size");
    check(BG2_ANSWER);
    memcpy(to, bytes, size);
}

/* Prints one field; what is in a byte string is nobody's business. */
static void show(uint64_t event) {
    size_t size;
    const char *text;
    if (bg2_next(&c) == BG2_UNSIGNED) printf("%" PRIu64, last[event] = bg2_get_number(&c));
    else if (bg2_next(&c) == BG2_TEXT) text = bg2_get_string(&c, BG2_TEXT, &size), printf("%.*s", (int)size, text);
    else if (bg2_next(&c) == BG2_BYTES) take(token, TOKEN_BYTES), printf("%d bytes", TOKEN_BYTES);
    else if (bg2_next(&c) == BG2_ARRAY) {
        size = bg2_get_array(&c);
        for (size_t i = 0; i < size; i++) printf(i ? ", " : "["), show(event);
        printf(size ? "]" : "[]");
    } else if (bg2_get_simple(&c) == BG2_NULL) printf("null");
}

static void on_event(struct bg2 *client, uint64_t from, uint64_t event, size_t fields) {
    (void)client, (void)from;
    last[event] = 1;
    printf("  %s(", callbacks[event]);
    for (size_t i = 0; i < fields; i++) printf(i ? ", " : ""), show(event);
    printf(")\n");
}

static void present(uint64_t person, uint64_t position, uint64_t impression) {
    size_t size;
    CALL(BG2_SIMULATED_SAMPLE, 2, "[3uuu", person, position, impression);
    uint64_t form = bg2_get_number(&c);
    const void *sample = bg2_get_string(&c, BG2_BYTES, &size);
    CALL(BG2_PRESENT, 0, "[4uub0", session, form, sample, size);
}

static void pin_token(uint64_t challenge) {
    CALL(BG2_VERIFY_PIN, 1, "[3ssu", name, pin, challenge);
    take(token, TOKEN_BYTES);
}

static void enroll(uint64_t position) {
    puts("generateChallenge"), ASK(BG2_GENERATE_CHALLENGE, "[1u", session);
    pin_token(last[GENERATED]);
    const char *fields = position ? "[6ub0u00" : "[6ub0u0[3u[0?"; /* a face: by views, not guided */
    puts("enroll"), ASK(BG2_ENROLL, fields, session, token, sizeof token, (uint64_t)0, (uint64_t)0, 0);
    last[PROGRESS] = 1;
    for (uint64_t impression = 0; last[PROGRESS] && impression < 16; impression++) present(1, position, impression);
}

static uint64_t begin_authenticate(uint64_t operation_id) {
    puts("authenticate");
    return ASK(BG2_AUTHENTICATE, "[3uu0", session, operation_id);
}

static void authenticate(uint64_t operation_id, uint64_t position) {
    begin_authenticate(operation_id);
    present(1, position, 20);
    CALL(BG2_CHECK_TOKEN, 5, "[1b", token, sizeof token);
    const uint64_t challenge = bg2_get_number(&c), owner = bg2_get_number(&c);
    const uint64_t authenticator = bg2_get_number(&c), type = bg2_get_number(&c);
    int ours = challenge == operation_id && owner == user && authenticator && type == BIOMETRIC;
    if (!ours) bg2_break(&c, "another token");
    check(BG2_ANSWER);
    puts("token is genuine");
}

/* Touches with a wrong finger until that is over for good; what is locked for a time is waited out. */
static void lock_out(void) {
    while (!last[PERMANENT]) {
        last[TIMED] = 0;
        uint64_t operation = begin_authenticate(0);
        for (uint64_t impression = 0; impression < 5; impression++) present(2, 1, impression);
        puts("cancel"), CALL(BG2_CANCEL, 0, "[2uu", session, operation);
        if (last[TIMED]) puts("clock advances"), CALL(BG2_CLOCK_ADVANCE, 3, "[1u", last[TIMED]);
    }
}

static void use_key(void) {
    size_t size;
    uint8_t key[16];
    CALL(BG2_KEY_CREATE, 3, "[5su??0", name, (uint64_t)HMAC_SHA256, 1, 1);
    take(key, sizeof key);
    uint64_t operation = ASK(BG2_KEY_BEGIN, "[2bs", key, sizeof key, "");
    if (bg2_call(&c, BG2_KEY_FINISH, 1, "[3uss", operation, "message", "") == BG2_REFUSAL)
        printf("key without a token: %s\n", c.code);
    operation = ASK(BG2_KEY_BEGIN, "[2bs", key, sizeof key, "");
    authenticate(operation, 1);
    CALL(BG2_KEY_FINISH, 1, "[3usb", operation, "message", token, sizeof token);
    bg2_get_string(&c, BG2_BYTES, &size);
    printf("signature: %zu bytes\n", size);
}

int main(int argc, char **argv) {
    char *command[] = {"bioguard", "--device", argv[1], "serve", "--stdio", "--protocol", "2", NULL};
    if (argc < 2) return fputs("usage: walk DIR [FRAMES]\n", stderr), 2;
    check(bg2_start(&c, command, on_event));
    printf("hello %d\n", BG2_VERSION);
    if (argc > 2) {
        long requests, frames = bg2_replay(&c, argv[2], &requests);
        check(BG2_ANSWER);
        printf("replayed %ld requests, %ld frames as recorded\n", requests, frames);
    }
    CALL(BG2_ADD_USER, 0, "[1s", name);
    for (uint64_t modality = FINGERPRINT; modality <= FACE; modality++)
        CALL(BG2_CONSENT, 0, "[6su[2uuu?s", name, modality, (uint64_t)UNLOCK, (uint64_t)KEY_USE, (uint64_t)365, 1, "");
    user = ASK(BG2_SET_PIN, "[3ss0", name, pin);
    puts("createSession 0"), session = ASK(BG2_CREATE_SESSION, "[2su", name, (uint64_t)0);
    enroll(1);
    authenticate(77, 1);
    lock_out();
    pin_token(0);
    puts("resetLockout"), ASK(BG2_RESET_LOCKOUT, "[2ub", session, token, sizeof token);
    use_key();
    uint64_t operation = begin_authenticate(0);
    puts("cancel"), CALL(BG2_CANCEL, 0, "[2uu", session, operation);
    CALL(BG2_CLOSE, 0, "[1u", session);
    puts("createSession 1"), session = ASK(BG2_CREATE_SESSION, "[2su", name, (uint64_t)1);
    enroll(0);
    authenticate(78, 0);
    CALL(BG2_CLOSE, 0, "[1u", session);
    printf("exit code %d\n", bg2_stop(&c));
}
