/* What a server has to tell of itself.  See report.h. */
#include "server/report.h"

#include <stdlib.h>

#include "base/clock.h"
#include "vfs/hot.h"

enum { TOP_CLIENTS = 20, TOP_FILES = 20 };

/* --------------------------------------------------------------- taking -- */

static void
take_files(const struct vfs_export *x, struct report *r)
{
	struct vfs_hot_file *v = calloc(VFS_HOT_FILES, sizeof *v);
	struct report_file *more;
	unsigned n, i;

	n = v == NULL ? 0 : vfs_hot_list(x->fs, v, VFS_HOT_FILES);
	more = n == 0 ? NULL : realloc(r->files,
	    (r->nfiles + n) * sizeof *more);
	if (more != NULL) {
		r->files = more;
		for (i = 0; i < n; i++)
			more[r->nfiles++] = (struct report_file){ x->id,
			    v[i].fileid, v[i].count };
	}
	free(v);
}

void
report_take(struct pinefs_server *s, const struct stats_clients *clients,
    struct report *r)
{
	const struct vfs_export *x;
	unsigned n = 0;

	*r = (struct report){ .ms = clock_boot_ms() };
	stats_counts(s->rpc, &r->counts);
	if (stats_rows(s->rpc, &r->rows, &r->nrows) != 0)
		r->nrows = 0;
	if (clients != NULL)
		r->clients = stats_clients_list(clients, &r->nclients);
	for (x = s->exports.first; x != NULL && n < REPORT_EXPORTS;
	    x = x->next, n++)
		take_files(x, r);
}

void
report_free(struct report *r)
{
	free(r->rows);
	free(r->clients);
	free(r->files);
	*r = (struct report){ 0 };
}

void
report_watch(struct pinefs_server *s, bool on)
{
	struct vfs_export *x;
	unsigned n = 0;

	stats_watch(s->rpc, on);
	s->watchers += on ? 1 : -1;
	/* Exports that have come since are watched from now on, too. */
	for (x = s->exports.first; x != NULL && n < REPORT_EXPORTS;
	    x = x->next, n++)
		(void)vfs_hot_watch(x->fs, s->watchers > 0);
}

/* ----------------------------------------------------------------- rows -- */

/* `seconds`: of an interval, or 0. */
static void
put_row(const struct stats_row *row, double seconds, struct json *j)
{
	char status[16];

	json_begin(j);
	json_string(j, "type", row->part ? "operation" : "procedure");
	json_string(j, "program", row->program->service->name);
	json_string(j, row->part ? "operation" : "procedure",
	    stats_name(row));
	json_string(j, "status", stats_status(row, status, sizeof status));
	json_uint(j, "calls", row->count);
	if (seconds > 0)
		json_real(j, "per_s", (double)row->count / seconds);
	if (row->timed > 0) {
		json_uint(j, "timed", row->timed);
		json_real(j, "mean_us", (double)row->ns /
		    (double)row->timed / 1000);
		json_real(j, "p50_us",
		    (double)stats_quantile(row, 0.5) / 1000);
		json_real(j, "p99_us",
		    (double)stats_quantile(row, 0.99) / 1000);
	}
	json_end(j);
}

static void
put_rows(const struct stats_row *row, unsigned n, double seconds,
    struct json *j)
{
	for (; n > 0; row++, n--)
		if (row->count > 0)
			put_row(row, seconds, j);
}

/* -------------------------------------------------------------- clients -- */

static int
more_calls(const void *a, const void *b)
{
	const struct stats_client *x = a, *y = b;

	return x->calls < y->calls ? 1 : x->calls > y->calls ? -1 :
	    strcmp(x->name, y->name);
}

static void
put_client(const struct stats_client *c, double seconds, struct json *j)
{
	json_begin(j);
	json_string(j, "type", "client");
	json_string(j, "client", c->name);
	if (c->proven)
		json_uint(j, "uid", c->uid);
	json_uint(j, "calls", c->calls);
	if (seconds > 0)
		json_real(j, "per_s", (double)c->calls / seconds);
	json_uint(j, "received", c->received);
	json_uint(j, "sent", c->sent);
	json_uint(j, "in_flight", c->in_flight);
	json_end(j);
}

/* Sorted in place. */
static void
put_clients(struct stats_client *v, unsigned n, double seconds,
    struct json *j)
{
	unsigned i;

	if (n > 0)
		qsort(v, n, sizeof *v, more_calls);
	for (i = 0; i < n && i < TOP_CLIENTS; i++)
		if (seconds == 0 || v[i].calls > 0)
			put_client(&v[i], seconds, j);
}

static int
by_name(const void *a, const void *b)
{
	const struct stats_client *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static void
subtract_clients(struct stats_client *c, unsigned n,
    struct stats_client *before, unsigned nbefore)
{
	const struct stats_client *b;

	if (nbefore > 0)
		qsort(before, nbefore, sizeof *before, by_name);
	for (; n > 0; c++, n--) {
		b = nbefore == 0 ? NULL : bsearch(c, before, nbefore,
		    sizeof *before, by_name);
		/* Less: another connection from the same port. */
		if (b == NULL || b->calls > c->calls ||
		    b->received > c->received || b->sent > c->sent)
			continue;
		c->calls -= b->calls;
		c->received -= b->received;
		c->sent -= b->sent;
	}
}

/* ---------------------------------------------------------------- files -- */

static int
more_uses(const void *a, const void *b)
{
	const struct report_file *x = a, *y = b;

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return x->fileid < y->fileid ? -1 : x->fileid > y->fileid;
}

static int
by_file(const void *a, const void *b)
{
	const struct report_file *x = a, *y = b;

	if (x->export_id != y->export_id)
		return x->export_id < y->export_id ? -1 : 1;
	return x->fileid < y->fileid ? -1 : x->fileid > y->fileid;
}

static void
put_file(struct pinefs_server *s, const struct report_file *f,
    double seconds, struct json *j)
{
	const struct vfs_export *x = vfs_export_by_id(&s->exports,
	    f->export_id);
	char path[VFS_HOT_PATH];

	if (x == NULL)
		return;
	vfs_hot_path(x->fs, f->fileid, path);
	json_begin(j);
	json_string(j, "type", "file");
	json_string(j, "export", x->path);
	json_string(j, "path", path);
	json_uint(j, "fileid", f->fileid);
	json_uint(j, "calls", f->count);
	if (seconds > 0)
		json_real(j, "per_s", (double)f->count / seconds);
	json_end(j);
}

static void
put_files(struct pinefs_server *s, struct report_file *v, unsigned n,
    double seconds, struct json *j)
{
	unsigned i;

	if (n > 0)
		qsort(v, n, sizeof *v, more_uses);
	for (i = 0; i < n && i < TOP_FILES && v[i].count > 0; i++)
		put_file(s, &v[i], seconds, j);
}

static void
subtract_files(struct report_file *f, unsigned n, struct report_file *before,
    unsigned nbefore)
{
	const struct report_file *b;

	if (nbefore > 0)
		qsort(before, nbefore, sizeof *before, by_file);
	for (; n > 0; f++, n--) {
		b = nbefore == 0 ? NULL : bsearch(f, before, nbefore,
		    sizeof *before, by_file);
		/* Fewer: it left the table, and came back. */
		if (b != NULL && b->count <= f->count)
			f->count -= b->count;
	}
}

/* ------------------------------------------------------------ the whole -- */

static void
put_counts(const struct rpc_counts *c, struct json *j)
{
	unsigned i;

	for (i = 0; i < LOOP_COUNTERS; i++)
		json_uint(j, stats_counter_name(i), c->count[i]);
	json_uint(j, "connections", c->connections);
	json_uint(j, "in_flight", c->in_flight);
	json_uint(j, "memory", c->memory);
	json_uint(j, "loops", c->loops);
}

static void *
copy(const void *v, size_t n, size_t size)
{
	void *c = n == 0 ? NULL : malloc(n * size);

	return c == NULL ? NULL : memcpy(c, v, n * size);
}

/* One that may be sorted and subtracted from. */
static void
report_copy(struct report *to, const struct report *r)
{
	*to = *r;
	to->rows = copy(r->rows, r->nrows, sizeof *r->rows);
	to->clients = copy(r->clients, r->nclients, sizeof *r->clients);
	to->files = copy(r->files, r->nfiles, sizeof *r->files);
	to->nrows = to->rows == NULL ? 0 : r->nrows;
	to->nclients = to->clients == NULL ? 0 : r->nclients;
	to->nfiles = to->files == NULL ? 0 : r->nfiles;
}

static void
put_lists(struct pinefs_server *s, struct report *r, double seconds,
    struct json *j)
{
	put_rows(r->rows, r->nrows, seconds, j);
	put_clients(r->clients, r->nclients, seconds, j);
	put_files(s, r->files, r->nfiles, seconds, j);
}

void
report_put(struct pinefs_server *s, const struct report *r, struct json *j)
{
	struct report all;

	json_begin(j);
	json_string(j, "type", "counters");
	put_counts(&r->counts, j);
	json_end(j);
	report_copy(&all, r);
	put_lists(s, &all, 0, j);
	report_free(&all);
}

void
report_put_between(struct pinefs_server *s, const struct report *before,
    const struct report *now, struct json *j)
{
	double seconds = (double)(now->ms - before->ms) / 1000;
	uint64_t calls = now->counts.count[COUNT_CALLS] -
	    before->counts.count[COUNT_CALLS];
	struct report d;

	if (seconds <= 0)
		seconds = 0.001;
	report_copy(&d, now);
	stats_subtract(d.rows, d.nrows, before->rows, before->nrows);
	subtract_clients(d.clients, d.nclients, before->clients,
	    before->nclients);
	subtract_files(d.files, d.nfiles, before->files, before->nfiles);
	json_begin(j);
	json_string(j, "type", "interval");
	json_real(j, "seconds", seconds);
	json_uint(j, "calls", calls);
	json_real(j, "per_s", (double)calls / seconds);
	json_uint(j, "connections", now->counts.connections);
	json_uint(j, "in_flight", now->counts.in_flight);
	json_uint(j, "memory", now->counts.memory);
	json_end(j);
	put_lists(s, &d, seconds, j);
	json_begin(j);
	json_string(j, "type", "end");
	json_end(j);
	report_free(&d);
}
