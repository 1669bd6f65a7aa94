/*
 * model_fuzz.c - whatever a peer sends as JSON: each noun of the model, named
 * by the first byte. What is taken must come back the same from what we write.
 */
#include "testsuite/fuzz/fuzz.h"

#include <string.h>

#include "src/flurm/json_text.h"
#include "src/flurm/model.h"

#define DEFINE(noun) \
	static void _try_##noun(const json_t *json) \
	{ \
		flurm_##noun##_t first, second; \
		fed_err_t err; \
		json_t *once, *twice; \
	\
		err.text[0] = '\0'; \
		if (flurm_##noun##_from_json(json, &first, &err) < 0) { \
			MUST(err.text[0]); \
			return; \
		} \
		once = flurm_##noun##_to_json(&first); \
		MUST(once); \
		MUST(flurm_##noun##_from_json(once, &second, &err) == 0); \
		twice = flurm_##noun##_to_json(&second); \
		MUST(json_equal(once, twice)); \
		json_decref(once); \
		json_decref(twice); \
		FREE(noun, &first); \
		FREE(noun, &second); \
	}
#define FREE(noun, what) flurm_##noun##_free(what)

DEFINE(job_spec)
DEFINE(job)
DEFINE(job_page)
DEFINE(event)
DEFINE(op)
DEFINE(health)
DEFINE(partition)
DEFINE(node)

/* What we keep of a submission is what we were told. */
static void _try_packed(const json_t *json)
{
	flurm_job_spec_t first, second;
	char *rest, *bulk;
	json_t *once, *twice;

	if (flurm_job_spec_from_json(json, &first, NULL) < 0)
		return;
	rest = flurm_job_spec_pack(&first, false);
	bulk = flurm_job_spec_pack(&first, true);
	flurm_job_spec_init(&second);
	MUST(flurm_job_spec_unpack(rest, &second, NULL) == 0);
	MUST(flurm_job_spec_unpack(bulk, &second, NULL) == 0);
	once = flurm_job_spec_to_json(&first);
	twice = flurm_job_spec_to_json(&second);
	MUST(json_equal(once, twice));
	json_decref(once);
	json_decref(twice);
	flurm_job_spec_free(&first);
	flurm_job_spec_free(&second);
	free(rest);
	free(bulk);
}

static void _try_result(const json_t *json)
{
	flurm_result_t first, second;
	json_t *once, *twice;

	if (flurm_result_from_batch(json, &first, NULL) < 0)
		return;
	once = flurm_result_to_batch(&first);
	MUST(flurm_result_from_batch(once, &second, NULL) == 0);
	twice = flurm_result_to_batch(&second);
	MUST(json_equal(once, twice));
	json_decref(once);
	json_decref(twice);
	flurm_result_free(&first);
	flurm_result_free(&second);
}

static void _try_stats(const json_t *json)
{
	flurm_cluster_stats_t stats;
	json_t *again;

	if (flurm_cluster_stats_from_json(json, &stats, NULL) < 0)
		return;
	again = flurm_cluster_stats_to_json(&stats);
	MUST(flurm_cluster_stats_from_json(again, &stats, NULL) == 0);
	json_decref(again);
}

extern int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static void (*const nouns[])(const json_t *json) = {
		_try_job_spec, _try_job, _try_job_page, _try_event, _try_op,
		_try_health, _try_partition, _try_node, _try_result,
		_try_stats, _try_packed,
	};
	json_t *json;

	if (!len)
		return 0;
	json = flurm_json_read((const char *) data + 1, len - 1,
			       FLURM_JSON_REQUEST, NULL);
	if (json)
		nouns[data[0] % (sizeof(nouns) / sizeof(nouns[0]))](json);
	json_decref(json);
	return 0;
}
