/* Reports of the debug profile (tee_sim.shared.debug_report.DebugReport): what an application prints, why it panicked,
 * and where it crashed. Where the world is locked nothing of this is ever sent, and no signal is handled. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "host.h"
#include "runtime.h"

#define MAX_TEXT_CHARS 4000u
#define MAX_WHAT_CHARS 160u
#define MAX_FRAMES 16u
#define MAX_LINES 1000u /* of one call of the core: an application that prints in a loop must end */
#define SIGNAL_STACK_BYTES (64u << 10)

enum { KIND_PANIC = 1, KIND_FORBIDDEN_CALL = 2, KIND_OUTPUT = 3 };

static uint8_t frame[FRAME_HEAD_BYTES + (16u << 10)];
static unsigned lines;

static void put_text(struct cbor_out *out, const char *text, size_t size, size_t most)
{
    char clean[MAX_TEXT_CHARS];

    size = size < most ? size : most;
    for (size_t i = 0; i < size; i++)
        clean[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
    cbor_put_text(out, clean, size);
}

/* The frames of an array that is open: where in the image, which the normal world finds the line of. */
static void put_frames(struct cbor_out *out, const uintptr_t *addresses, unsigned count)
{
    cbor_put_array(out, count);
    for (unsigned i = count; i > 0; i--) {
        char file[48], place[32];
        int file_size = snprintf(file, sizeof(file), "%s.ta", config.name);
        int size = snprintf(place, sizeof(place), "+0x%llx",
                            (unsigned long long)(addresses[i - 1] - (uintptr_t)image.base));

        cbor_put_array(out, 4);
        put_text(out, file, (size_t)file_size, 47);
        cbor_put_u64(out, 0);
        put_text(out, place, (size_t)size, 31);
        cbor_put_text(out, "", 0);
    }
}

static void send_with_call(unsigned kind, const char *what, const char *text, size_t size,
                           const struct refused_call *call, const uintptr_t *addresses, unsigned count)
{
    struct cbor_out out = {.data = frame + FRAME_HEAD_BYTES, .room = sizeof(frame) - FRAME_HEAD_BYTES};

    cbor_put_array(&out, 8);
    cbor_put_u64(&out, MESSAGE_DEBUG_REPORT);
    cbor_put_u64(&out, kind);
    put_text(&out, config.name, strnlen(config.name, sizeof(config.name)), 32);
    put_text(&out, what, strlen(what), MAX_WHAT_CHARS);
    put_text(&out, text, size, MAX_TEXT_CHARS);
    if (call == NULL)
        cbor_put_null(&out);
    else
        cbor_put_u64(&out, call->number);
    cbor_put_array(&out, call == NULL ? 0 : 6);
    for (unsigned i = 0; call != NULL && i < 6; i++)
        cbor_put_u64(&out, call->arguments[i]);
    put_frames(&out, addresses, count);
    if (out.failed || !frame_write(host_write_fd, frame, out.size))
        host_fail();
}

static void send(unsigned kind, const char *what, const char *text, size_t size, const uintptr_t *addresses,
                 unsigned count)
{
    send_with_call(kind, what, text, size, NULL, addresses, count);
}

void report_begin_call(void)
{
    lines = 0;
}

static void line(const char *text, size_t size)
{
    lines++;
    if (lines < MAX_LINES)
        send(KIND_OUTPUT, "trace", text, size, NULL, 0);
    else if (lines == MAX_LINES)
        send(KIND_OUTPUT, "trace", "(more lines are not shown)", 26, NULL, 0);
}

void report_line(const char *text, size_t size)
{
    if (config.reports)
        line(text, size);
}

/* What is printed in pieces is reported in lines. */
void report_text(const char *text, size_t size)
{
    static char begun[512];
    static size_t begun_size;

    if (!config.reports)
        return;
    for (size_t i = 0; i < size; i++) {
        bool ends = text[i] == '\n' || begun_size == sizeof(begun);

        if (ends) {
            line(begun, begun_size);
            begun_size = 0;
        }
        if (text[i] != '\n')
            begun[begun_size++] = text[i];
    }
}

void report_at(const char *what, const char *text, size_t size, const void *where)
{
    uintptr_t address = (uintptr_t)where;

    if (config.reports && ++lines < MAX_LINES)
        send(KIND_OUTPUT, what, text, size, &address, 1);
}

/* --- where --- */

static bool is_code(uintptr_t address)
{
    for (unsigned i = 0; i < image.segment_count; i++)
        if (image.segments[i].executable && address - (uintptr_t)image.segments[i].start < image.segments[i].size)
            return true;
    return false;
}

/* Whether a call stands before this address: then it is one that a call returns to. */
static bool follows_call(uintptr_t address)
{
#if defined(__x86_64__)
    const uint8_t *at = (const uint8_t *)address;

    if (!is_code(address - 7))
        return false;
    if (at[-5] == 0xE8)
        return true;
    for (int i = 2; i <= 7; i++)
        if (at[-i] == 0xFF && (at[1 - i] >> 3 & 7) == 2)
            return true;
    return false;
#else
    uint32_t word;

    if (address % 4 != 0 || !is_code(address - 4))
        return false;
    memcpy(&word, (const void *)(address - 4), sizeof(word));
    return word >> 26 == 0x25 || (word & 0xFFFFFC1F) == 0xD63F0000;
#endif
}

/* Innermost first. There need not be frame pointers: whatever on the stack looks like a return address is taken. */
static unsigned find_frames(uintptr_t pc, uintptr_t sp, uintptr_t *found)
{
    unsigned count = 0;
    uintptr_t first, end;

    if (is_code(pc))
        found[count++] = pc;
    if (current == NULL)
        return count;
    first = (uintptr_t)current->stack + GUARD_BYTES;
    end = (uintptr_t)instance_stack_top(current);
    if (sp < first || sp >= end)
        return count;
    for (uintptr_t at = (sp + 7) / 8 * 8; at < end && count < MAX_FRAMES; at += 8) {
        uintptr_t word;

        memcpy(&word, (const void *)at, sizeof(word));
        if (is_code(word - 1) && follows_call(word))
            found[count++] = word - 1;
    }
    return count;
}

void report_panic(uint32_t code, const char *why)
{
    uintptr_t found[MAX_FRAMES];
    char text[400];
    int size;

    if (!config.reports)
        return;
    size = snprintf(text, sizeof(text), "code 0x%08x%s%s; last function 0x%x, call %llu", code,
                    *why == 0 ? "" : ": ", why, last_function, (unsigned long long)call_count);
    send(KIND_PANIC, "TEE_Panic", text, (size_t)size < sizeof(text) ? (size_t)size : sizeof(text) - 1, found,
         find_frames(0, (uintptr_t)__builtin_frame_address(0), found));
}

void report_refused_calls(void)
{
    static uint32_t seen;
    uintptr_t found[MAX_FRAMES];
    uint32_t count = config.refusals == NULL ? seen : config.refusals->count;
    unsigned frames;

    if (count == seen)
        return;
    frames = current == NULL ? 0 : find_frames(0, (uintptr_t)__builtin_frame_address(0), found);
    if (count - seen > MAX_REFUSALS)
        seen = count - MAX_REFUSALS;
    for (; seen != count; seen++) {
        struct refused_call call = config.refusals->calls[seen % MAX_REFUSALS];

        if (++lines < MAX_LINES)
            send_with_call(KIND_FORBIDDEN_CALL, "", "", 0, &call, found, frames);
    }
}

/* --- crashes --- */

static size_t put_registers(char *text, size_t room, const ucontext_t *context, uintptr_t *pc, uintptr_t *sp)
{
    size_t at = 0;

#if defined(__x86_64__)
    static const struct {
        const char *name;
        int number;
    } registers[] = {{"rip", REG_RIP}, {"rsp", REG_RSP}, {"rbp", REG_RBP}, {"rax", REG_RAX}, {"rbx", REG_RBX},
                     {"rcx", REG_RCX}, {"rdx", REG_RDX}, {"rsi", REG_RSI}, {"rdi", REG_RDI}, {"r8", REG_R8},
                     {"r9", REG_R9},   {"r10", REG_R10}, {"r11", REG_R11}, {"r12", REG_R12}, {"r13", REG_R13},
                     {"r14", REG_R14}, {"r15", REG_R15}};

    *pc = (uintptr_t)context->uc_mcontext.gregs[REG_RIP];
    *sp = (uintptr_t)context->uc_mcontext.gregs[REG_RSP];
    for (size_t i = 0; i < sizeof(registers) / sizeof(registers[0]) && at < room; i++)
        at += (size_t)snprintf(text + at, room - at, " %s=0x%llx", registers[i].name,
                               (unsigned long long)context->uc_mcontext.gregs[registers[i].number]);
#else
    *pc = context->uc_mcontext.pc;
    *sp = context->uc_mcontext.sp;
    at += (size_t)snprintf(text, room, " pc=0x%llx sp=0x%llx", (unsigned long long)*pc, (unsigned long long)*sp);
    for (int i = 0; i < 31 && at < room; i++)
        at += (size_t)snprintf(text + at, room - at, " x%d=0x%llx", i,
                               (unsigned long long)context->uc_mcontext.regs[i]);
#endif
    return at < room ? at : room - 1;
}

static void crashed(int number, siginfo_t *info, void *context)
{
    uintptr_t found[MAX_FRAMES], pc = 0, sp = 0;
    char text[1200];
    const char *name = number == SIGSEGV ? "SIGSEGV" : number == SIGBUS ? "SIGBUS" : number == SIGILL ? "SIGILL"
                     : number == SIGFPE ? "SIGFPE" : number == SIGTRAP ? "SIGTRAP" : "signal";
    size_t size = (size_t)snprintf(text, sizeof(text), "at 0x%llx; last function 0x%x, call %llu;",
                                   (unsigned long long)(uintptr_t)info->si_addr, last_function,
                                   (unsigned long long)call_count);

    size += put_registers(text + size, sizeof(text) - size, context, &pc, &sp);
    send(KIND_PANIC, name, text, size, found, find_frames(pc, sp, found));
    if (config.unlocked)
        run_destructors(); /* coverage of what led here */
    /* All of them are blocked meanwhile, and one that is blocked and comes from a fault kills: the core sees a signal.
     * There is no call that would send one. */
    __builtin_trap();
}

bool crash_handler_install(void)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP};
    stack_t stack = {.ss_size = SIGNAL_STACK_BYTES};
    struct sigaction action = {.sa_sigaction = crashed, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESETHAND};

    stack.ss_sp = mmap(NULL, SIGNAL_STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (stack.ss_sp == MAP_FAILED || sigaltstack(&stack, NULL) != 0)
        return false;
    sigfillset(&action.sa_mask);
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        if (sigaction(signals[i], &action, NULL) != 0)
            return false;
    return true;
}
