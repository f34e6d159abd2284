#include <inner.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <tee_internal_api.h>

struct node {
    TAILQ_ENTRY(node) tail;
    LIST_ENTRY(node) list;
    SLIST_ENTRY(node) single;
    STAILQ_ENTRY(node) straight;
};

TAILQ_HEAD(tails, node);
LIST_HEAD(lists, node);
SLIST_HEAD(singles, node);
STAILQ_HEAD(straights, node);

/* Each loop frees what it stands on, which only a loop that looked ahead survives. */
unsigned lists_emptied(void)
{
    struct tails tails = TAILQ_HEAD_INITIALIZER(tails);
    struct lists lists = LIST_HEAD_INITIALIZER(lists);
    struct singles singles = SLIST_HEAD_INITIALIZER(singles);
    struct straights straights = STAILQ_HEAD_INITIALIZER(straights);
    struct node *node, *next;
    unsigned freed = 0;

    for (int i = 0; i < INNER; i++) {
        node = malloc(sizeof(*node));
        TAILQ_INSERT_TAIL(&tails, node, tail);
        node = malloc(sizeof(*node));
        LIST_INSERT_HEAD(&lists, node, list);
        node = malloc(sizeof(*node));
        SLIST_INSERT_HEAD(&singles, node, single);
        node = malloc(sizeof(*node));
        STAILQ_INSERT_TAIL(&straights, node, straight);
    }
    TAILQ_FOREACH_SAFE(node, &tails, tail, next)
        freed++, free(node);
    LIST_FOREACH_SAFE(node, &lists, list, next)
        freed++, free(node);
    SLIST_FOREACH_SAFE(node, &singles, single, next)
        freed++, free(node);
    STAILQ_FOREACH_SAFE(node, &straights, straight, next)
        freed++, free(node);
    return freed;
}
