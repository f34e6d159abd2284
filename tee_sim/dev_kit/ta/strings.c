/* Copies of strings on the application's heap: the C library's own would be on one that the application cannot free. */
#include <stdlib.h>
#include <string.h>

char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t most);

char *__wrap_strndup(const char *text, size_t most)
{
    size_t length = strnlen(text, most);
    char *copy = malloc(length + 1);

    if (copy != NULL) {
        memcpy(copy, text, length);
        copy[length] = 0;
    }
    return copy;
}

char *__wrap_strdup(const char *text)
{
    return __wrap_strndup(text, strlen(text));
}
