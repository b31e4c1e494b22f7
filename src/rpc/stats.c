/* What a server has done so far.  See stats.h. */
#include "rpc/stats.h"

#include <stdio.h>
#include <stdlib.h>

#include <pinefs/xdr_type.h>

#include "base/clock.h"

/*
 * In each quarter of a second, and loop: so many batches are timed, then one
 * of ONE_OF.  At a million calls/s that is a thirtieth of all.
 */
enum { MAX_STATUSES = 32, LINE = 64, SAMPLED_MS = 250, SAMPLED = 64,
    ONE_OF = 31, TRACED = 1 << 16 };

struct stats_times {
	atomic_uint_fast64_t	timed, ns;
	atomic_uint_fast64_t	bucket[STATS_BUCKETS];
};

/* A row of every loop: where its calls' status is. */
struct stats_place {
	const struct rpc_program *program;
	uint32_t		 number;
	bool			 part;
	int32_t			 status_at;	/* in the results; -1: nowhere */
};

/* ------------------------------------------------------------- counters -- */

const char *
stats_counter_name(unsigned c)
{
	static const char *const names[] = {
		[COUNT_CALLS] = "calls",
		[COUNT_BAD_RECORDS] = "bad_records",
		[COUNT_BAD_CALLS] = "bad_calls",
		[COUNT_BAD_ARGS] = "bad_args",
		[COUNT_AUTH_REFUSED] = "auth_refused",
		[COUNT_PEER_REFUSED] = "peer_refused",
		[COUNT_REPLAYS] = "replays",
		[COUNT_TIMEOUTS] = "timeouts",
		[COUNT_ACCEPTED] = "accepted",
		[COUNT_PAUSES] = "pauses",
		[COUNT_SYSTEM_ERR] = "system_err",
		[COUNT_UDP] = "udp",
	};

	_Static_assert(sizeof names / sizeof names[0] == LOOP_COUNTERS,
	    "every counter has a name");
	return names[c];
}

void
stats_counts(const struct rpc_server *s, struct rpc_counts *to)
{
	const struct rpc_loop *loop;
	unsigned i, c;

	*to = (struct rpc_counts){ .loops = s->nloops,
	    .connections = atomic_load(&s->nconns),
	    .memory = atomic_load(&s->memory) };
	for (i = 0; i < s->nloops; i++) {
		loop = &s->loops[i];
		to->in_flight += atomic_load(&loop->in_flight);
		for (c = 0; c < LOOP_COUNTERS; c++)
			to->count[c] += atomic_load_explicit(&loop->count[c],
			    memory_order_relaxed);
	}
}

/* --------------------------------------------------------------- places -- */

/*
 * Results of such protocols begin with a status: an enum, a struct whose
 * first member is one, or a union by one.
 */
static const struct xdr_type *
status_type(const struct xdr_type *t)
{
	if (t != NULL && (t->kind == XDR_KIND_UNION ||
	    (t->kind == XDR_KIND_STRUCT && t->n > 0 &&
	    t->fields[0].type->kind == XDR_KIND_ENUM)))
		t = t->fields[0].type;
	return t != NULL && (t->kind == XDR_KIND_ENUM ||
	    t->kind == XDR_KIND_INT || t->kind == XDR_KIND_UINT) ? t : NULL;
}

static int32_t
status_at(const struct xdr_type *t)
{
	if (status_type(t) == NULL)
		return -1;
	return t->kind == XDR_KIND_ENUM || t->kind == XDR_KIND_INT ||
	    t->kind == XDR_KIND_UINT ? 0 : (int32_t)t->fields[0].offset;
}

static unsigned
add_places(struct stats_place *at, const struct rpc_program *p)
{
	uint32_t i, n = p->service->nprocs;

	for (i = 0; at != NULL && i < n + p->nparts; i++)
		at[i] = (struct stats_place){ p, i < n ? i : i - n, i >= n,
		    i < n ? status_at(p->service->procs[i].res_type) : -1 };
	return n + p->nparts;
}

int
stats_open(struct rpc_server *s)
{
	unsigned i, n = 0;

	if (s->places != NULL)
		return 0;
	for (i = 0; i < s->nprograms; i++)
		n += add_places(NULL, s->program[i]);
	if ((s->places = calloc(n + 1, sizeof *s->places)) == NULL)
		return ENOMEM;
	for (i = 0; i < s->nprograms; i++) {
		s->first_place[i] = s->nplaces;
		s->nplaces += add_places(s->places + s->nplaces,
		    s->program[i]);
	}
	return 0;
}

void
stats_close(struct rpc_server *s)
{
	free(s->places);
	s->places = NULL;
}

int
stats_loop_open(struct rpc_loop *loop)
{
	loop->cells = calloc(loop->server->nplaces + 1,
	    sizeof *loop->cells);
	return loop->cells == NULL ? ENOMEM : 0;
}

void
stats_loop_close(struct rpc_loop *loop)
{
	struct stats_cell *cell, *next;
	unsigned i;

	for (i = 0; loop->cells != NULL && i < loop->server->nplaces; i++) {
		for (cell = loop->cells[i]; cell != NULL; cell = next) {
			next = cell->next;
			free(cell->times);
			free(cell);
		}
	}
	free(loop->cells);
	loop->cells = NULL;
}

/* ------------------------------------------------------------- counting -- */

/* Only one thread writes. */
static void
add(atomic_uint_fast64_t *to, uint64_t n)
{
	atomic_store_explicit(to, n + atomic_load_explicit(to,
	    memory_order_relaxed), memory_order_relaxed);
}

/* In lines of the cache of its own. */
static void *
zalloc(size_t size)
{
	void *p;

	size = (size + LINE - 1) / LINE * LINE;
	if ((p = aligned_alloc(LINE, size)) != NULL)
		memset(p, 0, size);
	return p;
}

/* The cell of a status; the last one takes all for which there is no room. */
static struct stats_cell *
find_cell(_Atomic(struct stats_cell *) *at, uint32_t status)
{
	struct stats_cell *cell;
	unsigned n = 0;

	while ((cell = atomic_load_explicit(at, memory_order_relaxed)) !=
	    NULL) {
		if (cell->status == status || cell->status == STATS_OTHERS)
			return cell;
		at = &cell->next;
		n++;
	}
	if ((cell = zalloc(sizeof *cell)) == NULL)
		return NULL;
	cell->status = n == MAX_STATUSES ? STATS_OTHERS : status;
	atomic_store_explicit(at, cell, memory_order_release);
	return cell;
}

static unsigned
bucket_of(uint64_t ns)
{
	unsigned octave, step;

	if (ns < 1u << STATS_LOWEST)
		return 0;
	octave = 63 - (unsigned)__builtin_clzll(ns);
	if (octave >= STATS_LOWEST + STATS_OCTAVES)
		return STATS_BUCKETS - 1;
	step = (unsigned)(ns >> (octave - 3)) & (STATS_STEPS - 1);
	return 1 + (octave - STATS_LOWEST) * STATS_STEPS + step;
}

uint64_t
stats_bucket_end(unsigned i)
{
	unsigned octave;

	if (i == 0)
		return 1u << STATS_LOWEST;
	if (i >= STATS_BUCKETS - 1)
		return UINT64_MAX;
	octave = STATS_LOWEST + (i - 1) / STATS_STEPS;
	return (UINT64_C(1) << octave) + ((uint64_t)((i - 1) % STATS_STEPS +
	    1) << (octave - 3));
}

static void
count_time(struct stats_cell *cell, uint64_t ns)
{
	struct stats_times *t = atomic_load_explicit(&cell->times,
	    memory_order_relaxed);

	if (t == NULL) {
		if ((t = zalloc(sizeof *t)) == NULL)
			return;
		atomic_store_explicit(&cell->times, t, memory_order_release);
	}
	add(&t->timed, 1);
	add(&t->ns, ns);
	add(&t->bucket[bucket_of(ns)], 1);
}

/* `at`: where it is in the results. */
static uint32_t
status_of(const struct rpc_call *call, enum rpc_accept_stat stat, int32_t at)
{
	uint32_t status = 0;

	if (stat != RPC_SUCCESS)
		return STATS_REFUSED + (uint32_t)stat;
	if (at < 0)
		return 0;
	if (call->raw.base != NULL)	/* encoded, and it comes first */
		return call->raw.len < 4 ? 0 : xdr_load_u32(call->raw.base);
	if (call->res != NULL)
		memcpy(&status, (const uint8_t *)call->res + at,
		    sizeof status);
	return status;
}

static void
count_part(void *arg, uint32_t number, uint32_t status)
{
	_Atomic(struct stats_cell *) *cells = arg;
	struct stats_cell *cell = find_cell(&cells[number], status);

	if (cell != NULL)
		add(&cell->count, 1);
}

/* How long it took, and what it was made of. */
static void
count_watched(struct rpc_call *call, struct stats_cell *cell,
    _Atomic(struct stats_cell *) *parts)
{
	const struct rpc_program *p = call->program;
	uint64_t now;

	if (call->started != 0) {
		now = clock_boot_ns();
		count_time(cell, now - call->started);
		/* A call that waited is of another batch, not timed maybe. */
		if (call->loop->batch_ns != 0)
			call->loop->batch_ns = now;
	}
	if (p->parts != NULL && call->raw.base == NULL && call->res != NULL)
		p->parts(call->h.proc, call->res, count_part, parts);
}

void
stats_trace(struct rpc_server *s, stats_trace_fn *fn, void *arg)
{
	if (fn == NULL) {
		atomic_fetch_sub(&s->watched, TRACED);
		return;
	}
	/* These stay: a loop may be about to call it. */
	atomic_store(&s->trace, fn);
	atomic_store(&s->trace_arg, arg);
	atomic_fetch_add(&s->watched, TRACED);
}

static void
tell_tracer(const struct rpc_server *s, const struct rpc_call *call,
    uint32_t status)
{
	struct stats_row row = { .program = call->program,
	    .number = call->h.proc, .status = status };

	s->trace(s->trace_arg, call, &row, call->started == 0 ? 0 :
	    clock_boot_ns() - call->started);
}

void
stats_reply(struct rpc_call *call, enum rpc_accept_stat stat)
{
	const struct rpc_server *s = call->loop->server;
	_Atomic(struct stats_cell *) *cells = call->loop->cells;
	unsigned i = 0, place, watched;
	struct stats_cell *cell;
	uint32_t status;

	/* What is no procedure of ours has no row. */
	if (call->proc == NULL)
		return;
	while (s->program[i] != call->program)
		i++;
	place = s->first_place[i] + call->h.proc;
	status = status_of(call, stat, s->places[place].status_at);
	if ((cell = find_cell(&cells[place], status)) == NULL)
		return;
	add(&cell->count, 1);
	watched = atomic_load_explicit(&s->watched, memory_order_acquire);
	if (watched >= TRACED)
		tell_tracer(s, call, status);
	if (watched > 0)
		count_watched(call, cell, &cells[s->first_place[i] +
		    call->program->service->nprocs]);
	else
		call->loop->batch_ns = 0;	/* nobody knows any more */
}

void
stats_batch(struct rpc_loop *loop)
{
	if (loop->now_ms - loop->sampled_ms >= SAMPLED_MS) {
		loop->sampled_ms = loop->now_ms;
		loop->batches = 0;
	}
	loop->batches++;
	loop->batch_ns = loop->batches < SAMPLED ||
	    loop->batches % ONE_OF == 0 ||
	    atomic_load(&loop->server->watched) >= TRACED ?
	    clock_boot_ns() : 0;
}

void
stats_begin(struct rpc_call *call)
{
	call->started = clock_boot_ns();
}

void
stats_watch(struct rpc_server *s, bool on)
{
	if (on)
		atomic_fetch_add(&s->watched, 1);
	else
		atomic_fetch_sub(&s->watched, 1);
}

/* -------------------------------------------------------------- summing -- */

static void
sum_times(struct stats_row *row, const struct stats_times *t)
{
	unsigned i;

	if (t == NULL)
		return;
	row->timed += atomic_load_explicit(&t->timed, memory_order_relaxed);
	row->ns += atomic_load_explicit(&t->ns, memory_order_relaxed);
	for (i = 0; i < STATS_BUCKETS; i++)
		row->bucket[i] += atomic_load_explicit(&t->bucket[i],
		    memory_order_relaxed);
}

struct rows {
	struct stats_row	*v;
	unsigned		 n, room;
};

/* The row of this status among those from `from` on. */
static struct stats_row *
row_for(struct rows *rows, unsigned from, const struct stats_place *place,
    uint32_t status)
{
	struct stats_row *v = rows->v;
	unsigned i, room;

	for (i = from; i < rows->n; i++)
		if (v[i].status == status)
			return &v[i];
	if (rows->n == rows->room) {
		room = rows->room == 0 ? 16 : 2 * rows->room;
		if ((v = realloc(v, room * sizeof *v)) == NULL)
			return NULL;
		rows->v = v;
		rows->room = room;
	}
	for (i = rows->n++; i > from && v[i - 1].status > status; i--)
		v[i] = v[i - 1];
	v[i] = (struct stats_row){ .program = place->program,
	    .number = place->number, .part = place->part, .status = status };
	return &v[i];
}

static int
sum_place(const struct rpc_server *s, unsigned place, struct rows *rows)
{
	unsigned from = rows->n, i;
	struct stats_cell *cell;
	struct stats_row *row;

	for (i = 0; i < s->nloops; i++) {
		for (cell = atomic_load_explicit(&s->loops[i].cells[place],
		    memory_order_acquire); cell != NULL;
		    cell = atomic_load_explicit(&cell->next,
		    memory_order_acquire)) {
			row = row_for(rows, from, &s->places[place],
			    cell->status);
			if (row == NULL)
				return ENOMEM;
			row->count += atomic_load_explicit(&cell->count,
			    memory_order_relaxed);
			sum_times(row, atomic_load_explicit(&cell->times,
			    memory_order_acquire));
		}
	}
	return 0;
}

int
stats_rows(const struct rpc_server *s, struct stats_row **to, unsigned *n)
{
	struct rows rows = { NULL, 0, 0 };
	unsigned i;

	for (i = 0; i < s->nplaces; i++) {
		if (sum_place(s, i, &rows) != 0) {
			free(rows.v);
			return ENOMEM;
		}
	}
	*to = rows.v;
	*n = rows.n;
	return 0;
}

static const struct stats_row *
find_row(const struct stats_row *v, unsigned n, const struct stats_row *like)
{
	for (; n > 0; v++, n--)
		if (v->program == like->program && v->part == like->part &&
		    v->number == like->number && v->status == like->status)
			return v;
	return NULL;
}

void
stats_subtract(struct stats_row *row, unsigned n,
    const struct stats_row *before, unsigned nbefore)
{
	const struct stats_row *b;
	unsigned i;

	for (; n > 0; row++, n--) {
		if ((b = find_row(before, nbefore, row)) == NULL)
			continue;
		row->count -= b->count;
		row->timed -= b->timed;
		row->ns -= b->ns;
		for (i = 0; i < STATS_BUCKETS; i++)
			row->bucket[i] -= b->bucket[i];
	}
}

uint64_t
stats_quantile(const struct stats_row *row, double q)
{
	uint64_t all = 0, seen = 0, low, high;
	unsigned i;

	/* The sum of the buckets: `timed` may be a call ahead. */
	for (i = 0; i < STATS_BUCKETS; i++)
		all += row->bucket[i];
	if (all == 0)
		return 0;
	for (i = 0; i < STATS_BUCKETS - 1; i++) {
		seen += row->bucket[i];
		if ((double)seen >= q * (double)all)
			break;
	}
	low = i == 0 ? 0 : stats_bucket_end(i - 1);
	high = i == STATS_BUCKETS - 1 ? low : stats_bucket_end(i);
	return (low + high) / 2;
}

/* ---------------------------------------------------------------- names -- */

const char *
stats_name(const struct stats_row *row)
{
	const char *name, *p;

	if (row->part)
		name = row->program->part_name(row->number);
	else
		name = row->program->service->procs[row->number].name;
	if (name == NULL)
		return "?";
	/* NFSPROC3_READ, MOUNTPROC_MNT: what counts is behind that. */
	p = strchr(name, '_');
	return !row->part && p != NULL && strstr(name, "PROC") != NULL ?
	    p + 1 : name;
}

static const char *
enum_name(const struct xdr_type *t, uint32_t value)
{
	uint32_t i;

	for (i = 0; t != NULL && t->kind == XDR_KIND_ENUM && i < t->n; i++)
		if ((uint32_t)t->names[i].value == value)
			return t->names[i].name;
	return NULL;
}

const char *
stats_status(const struct stats_row *row, char *to, size_t size)
{
	static const char *const refused[] = { "", "PROG_UNAVAIL",
	    "PROG_MISMATCH", "PROC_UNAVAIL", "GARBAGE_ARGS", "SYSTEM_ERR" };
	const struct rpc_service *s = row->program->service;
	const char *name;

	if (row->status == STATS_OTHERS)
		return "OTHERS";
	if (row->status >= STATS_REFUSED && row->status - STATS_REFUSED <
	    sizeof refused / sizeof refused[0])
		return refused[row->status - STATS_REFUSED];
	/* A part has the status that the whole would have. */
	name = enum_name(status_type(s->procs[row->part ? s->nprocs - 1 :
	    row->number].res_type), row->status);
	if (name != NULL)
		return name;
	if (row->status == 0)
		return "OK";
	snprintf(to, size, "%u", row->status);
	return to;
}
