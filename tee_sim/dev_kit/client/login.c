/* Connection methods (TEE Client API 1.0, table 4-5). */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../runtime/cbor.h"
#include "teec.h"

static bool is_member(uint32_t group)
{
    int count = getgroups(0, NULL);
    gid_t *groups = calloc(count > 0 ? (size_t)count : 1, sizeof(*groups));
    bool found = group == (uint32_t)getegid();

    if (groups != NULL && count > 0)
        count = getgroups(count, groups);
    for (int i = 0; groups != NULL && i < count; i++)
        found = found || group == (uint32_t)groups[i];
    free(groups);
    return found;
}

TEEC_Result login_take(uint32_t method, const void *data, struct login *login)
{
    bool of_group = method == TEEC_LOGIN_GROUP || method == TEEC_LOGIN_GROUP_APPLICATION;
    ssize_t size;

    *login = (struct login){.method = method, .has_group = of_group};
    switch (method) {
    case TEEC_LOGIN_PUBLIC:
    case TEEC_LOGIN_USER:
    case TEEC_LOGIN_GROUP:
    case TEEC_LOGIN_APPLICATION:
    case TEEC_LOGIN_USER_APPLICATION:
    case TEEC_LOGIN_GROUP_APPLICATION:
        break;
    default:
        return TEEC_ERROR_BAD_PARAMETERS;
    }
    if ((data != NULL) != of_group)
        return TEEC_ERROR_BAD_PARAMETERS;
    if (of_group) {
        memcpy(&login->group, data, sizeof(login->group));
        if (!is_member(login->group))
            return TEEC_ERROR_ACCESS_DENIED;
    }
    if (method >= TEEC_LOGIN_APPLICATION) {
        size = readlink("/proc/self/exe", login->name, sizeof(login->name) - 1);
        if (size <= 0)
            return TEEC_ERROR_ACCESS_DENIED;
    }
    return TEEC_SUCCESS;
}

/* [method, user, group or null, bytes of the name] */
void login_put(const struct login *login, struct cbor_out *out)
{
    cbor_put_array(out, 4);
    cbor_put_u64(out, login->method);
    cbor_put_u64(out, geteuid());
    if (login->has_group)
        cbor_put_u64(out, login->group);
    else
        cbor_put_null(out);
    cbor_put_bytes(out, login->name, strlen(login->name));
}
