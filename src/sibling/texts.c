/*
 * texts.c - which scripts and environments wait in the spool (see texts.h).
 */
#include "src/sibling/texts.h"

#include <string.h>

typedef struct {
	char *key;
	uint64_t number;
	uint64_t len;
} text_t;

struct texts {
	uint64_t max;
	uint64_t len;		/* of all that wait */
	compat_list_t waiting;	/* by number */
	xhash_t *known;		/* the same by key; owns them */
};

static void _identify(void *item, const char **key, uint32_t *key_len)
{
	const text_t *text = item;

	*key = text->key;
	*key_len = strlen(text->key);
}

static void _free_text(void *item)
{
	text_t *text = item;

	xfree(text->key);
	xfree(text);
}

/* slurmdbd has a table for each kind. RET to be xfreed */
static char *_key(const row_t *row)
{
	return xstrdup_printf("%d %s", row->kind, row->hash);
}

extern texts_t *texts_create(uint64_t max)
{
	texts_t *texts = xmalloc(sizeof(*texts));

	texts->max = max;
	texts->waiting = list_create(NULL);
	texts->known = xhash_init(_identify, _free_text);
	return texts;
}

extern void texts_destroy(texts_t *texts)
{
	if (!texts)
		return;
	FREE_NULL_LIST(texts->waiting);
	xhash_free(texts->known);
	xfree(texts);
}

extern bool texts_has(const texts_t *texts, const row_t *row)
{
	char *key = _key(row);
	bool has = xhash_get_str(texts->known, key);

	xfree(key);
	return has;
}

extern bool texts_have_room(const texts_t *texts, const row_t *row)
{
	return texts->len + strlen(row->text) <= texts->max;
}

extern void texts_add(texts_t *texts, const row_t *row, uint64_t number)
{
	text_t *text;

	if (texts_has(texts, row))
		return;
	text = xmalloc(sizeof(*text));
	text->key = _key(row);
	text->number = number;
	text->len = strlen(row->text);
	texts->len += text->len;
	list_append(texts->waiting, text);
	(void) xhash_add(texts->known, text);
}

extern void texts_done(texts_t *texts, uint64_t number)
{
	text_t *text;

	while ((text = list_peek(texts->waiting)) && (text->number <= number)) {
		(void) list_pop(texts->waiting);
		texts->len -= text->len;
		xhash_delete_str(texts->known, text->key);
	}
}
