/*
 * view.c - what those who ask are told from (see view.h).
 */
#include "src/sibling/view.h"

#include <stdlib.h>
#include <string.h>

#include "src/sibling/net.h"

#define JOBS_STEP 256

struct view_body {
	view_body_t *next;
	view_body_key_t key;
	buf_t *buf;
};

extern view_job_t *view_job_ref(view_job_t *job)
{
	__atomic_add_fetch(&job->refs, 1, __ATOMIC_RELAXED);
	return job;
}

extern void view_job_unref(view_job_t *job)
{
	if (!job || __atomic_sub_fetch(&job->refs, 1, __ATOMIC_ACQ_REL))
		return;
	flurm_job_spec_free(&job->spec);
	job_submit_free(&job->submit);
	job_run_free(&job->run);
	xfree(job->origin);
	xfree(job);
}

extern view_t *view_create(const char *cluster)
{
	view_t *view = xmalloc(sizeof(*view));

	view->made_ms = net_now_ms();
	view->made = time(NULL);
	view->cluster = cluster;
	view->refs = 1;
	pthread_mutex_init(&view->lock, NULL);
	return view;
}

extern void view_add_job(view_t *view, view_job_t *job)
{
	if (!(view->job_cnt % JOBS_STEP))
		xrecalloc(view->job, view->job_cnt + JOBS_STEP,
			  sizeof(*view->job));
	view->job[view->job_cnt++] = job;
}

static int _cmp_job(const void *a, const void *b)
{
	uint32_t id_a = (*(view_job_t *const *) a)->job.id;
	uint32_t id_b = (*(view_job_t *const *) b)->job.id;

	return (id_a > id_b) - (id_a < id_b);
}

extern void view_sort(view_t *view)
{
	if (view->job_cnt)
		qsort(view->job, view->job_cnt, sizeof(*view->job), _cmp_job);
}

extern view_t *view_ref(view_t *view)
{
	if (view)
		__atomic_add_fetch(&view->refs, 1, __ATOMIC_RELAXED);
	return view;
}

extern void view_unref(view_t *view)
{
	view_body_t *body;

	if (!view || __atomic_sub_fetch(&view->refs, 1, __ATOMIC_ACQ_REL))
		return;
	while ((body = view->bodies)) {
		view->bodies = body->next;
		free_buf(body->buf);
		xfree(body);
	}
	for (size_t i = 0; i < view->job_cnt; i++)
		view_job_unref(view->job[i]);
	xfree(view->job);
	view_used_free(&view->used);
	federation_unref(view->fed);
	nodes_unref(view->nodes);
	pthread_mutex_destroy(&view->lock);
	xfree(view);
}

extern const view_job_t *view_find(const view_t *view, uint32_t job_id)
{
	size_t low = 0, high = view->job_cnt;

	while (low < high) {
		size_t mid = (low + high) / 2;
		uint32_t id = view->job[mid]->job.id;

		if (id == job_id)
			return view->job[mid];
		if (id < job_id)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

static bool _is_for(const view_body_t *body, const view_body_key_t *key)
{
	return (body->key.type == key->type) &&
	       (body->key.version == key->version) &&
	       (body->key.flags == key->flags) &&
	       (body->key.uid == key->uid) &&
	       (body->key.viewer == key->viewer);
}

extern buf_t *view_body(view_t *view, const view_body_key_t *key,
			buf_t *(*pack)(const view_t *view,
				       const view_body_key_t *key, void *arg),
			void *arg)
{
	view_body_t *body;

	pthread_mutex_lock(&view->lock);
	for (body = view->bodies; body && !_is_for(body, key); )
		body = body->next;
	if (!body) {
		body = xmalloc(sizeof(*body));
		body->key = *key;
		body->buf = pack(view, key, arg);
		body->next = view->bodies;
		view->bodies = body;
	}
	pthread_mutex_unlock(&view->lock);
	return body->buf;
}
