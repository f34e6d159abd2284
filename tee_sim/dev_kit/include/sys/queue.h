/* Lists and queues of the C library, and loops over them in which an element may be removed. */
#ifndef TEE_SIM_SYS_QUEUE_H
#define TEE_SIM_SYS_QUEUE_H

#include_next <sys/queue.h>

#ifndef SLIST_FOREACH_SAFE
#define SLIST_FOREACH_SAFE(element, head, field, next) \
    for ((element) = SLIST_FIRST(head); (element) && ((next) = SLIST_NEXT(element, field), 1); (element) = (next))
#endif
#ifndef LIST_FOREACH_SAFE
#define LIST_FOREACH_SAFE(element, head, field, next) \
    for ((element) = LIST_FIRST(head); (element) && ((next) = LIST_NEXT(element, field), 1); (element) = (next))
#endif
#ifndef STAILQ_FOREACH_SAFE
#define STAILQ_FOREACH_SAFE(element, head, field, next) \
    for ((element) = STAILQ_FIRST(head); (element) && ((next) = STAILQ_NEXT(element, field), 1); (element) = (next))
#endif
#ifndef TAILQ_FOREACH_SAFE
#define TAILQ_FOREACH_SAFE(element, head, field, next) \
    for ((element) = TAILQ_FIRST(head); (element) && ((next) = TAILQ_NEXT(element, field), 1); (element) = (next))
#endif

#endif
