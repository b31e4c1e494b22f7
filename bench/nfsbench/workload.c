/* Preparing a workload, running it, checking and clearing away. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "nfsbench.h"

/* Make or remove the files f0000000 ... of the working directory. */
static void
files(enum wl w, int depth, struct fh *fhs, struct stats *st)
{
	struct job j = { .w = w, .depth = depth, .limit = cf.entries,
		.dir = work_dir, .entries = cf.entries, .fhs = fhs };

	counted(j, st);
}

int
run_dirscale(void)
{
	struct job listing = { .w = W_READDIR, .conns = 1, .depth = 1,
		.limit = 1, .dir = work_dir, .entries = cf.entries };
	struct job lookup = { .w = W_LOOKUP, .conns = 1, .depth = cf.depth,
		.secs = 1, .warm = 0.1, .dir = work_dir,
		.entries = cf.entries };
	struct stats make, plain, plus, looked, removed;
	struct proc_use before, after;
	double make_s, remove_s;
	char extra[1024];
	uint64_t t, bad;
	int n;

	proc_use(&before);
	t = now_ns();
	files(W_MKFILES, cf.depth, NULL, &make);
	make_s = (double)(now_ns() - t) / 1e9;
	proc_use(&after);

	cf.plus = true;
	run_job(&listing, 1, &plus, NULL);
	cf.plus = false;
	run_job(&listing, 1, &plain, NULL);
	run_job(&lookup, 1, &looked, NULL);
	t = now_ns();
	files(W_RMFILES, cf.depth, NULL, &removed);
	remove_s = (double)(now_ns() - t) / 1e9;

	n = sprintf(extra, ",\"entries\":%" PRIu64
	    ",\"create_s\":%.0f,\"create_s_by_tenth\":[",
	    cf.entries, (double)cf.entries / make_s);
	for (int i = 1; i <= 10; i++) {
		uint64_t took = make.mark[i] > make.mark[i - 1] ?
		    make.mark[i] - make.mark[i - 1] : 0;

		n += sprintf(extra + n, "%s%.0f", i > 1 ? "," : "", took > 0 ?
		    (double)(cf.entries / 10) * 1e9 / (double)took : 0);
	}
	sprintf(extra + n, "],\"readdirplus_ms\":%.2f"
	    ",\"readdirplus_calls\":%" PRIu64 ",\"readdir_ms\":%.2f"
	    ",\"readdir_calls\":%" PRIu64
	    ",\"lookup_s\":%.0f,\"remove_s\":%.0f",
	    (double)plus.txn.max / 1e6, plus.ops,
	    (double)plain.txn.max / 1e6, plain.ops, (double)looked.ops,
	    (double)cf.entries / remove_s);
	if (plus.nfs_err == 1 && plus.first_err == 10004)
		plus.nfs_err = 0;	/* no READDIRPLUS is no failure */
	bad = failures(&plus) + failures(&plain) + failures(&looked);
	make.bad_data += bad;
	report(&make, make_s, self_cpu(), &before, &after, extra);
	return bad != 0;
}

/* One file per connection. */
static void
prepare_write(struct conn *conns)
{
	char name[32];

	for (int i = 0; i < cf.conns; i++) {
		snprintf(name, sizeof name, "w%d", i);
		do_create(&work_dir, name, &conns[i].file);
		if (cf.verify)
			conns[i].written = xcalloc(1,
			    cf.file_size / cf.size + 1);
	}
}

static void
prepare_read(struct job *j)
{
	struct job fill = { .w = W_WRITE, .depth = 4, .dir = work_dir };
	uint32_t size = cf.size;
	struct stats st;

	do_create(&work_dir, "data", &j->file);
	if (size > 65536 || size < 4096)	/* any server takes */
		cf.size = cf.vers == 2 ? 8192 : 65536;
	fill.file = j->file;
	fill.limit = fill.entries = cf.file_size / cf.size;
	counted(fill, &st);
	cf.size = size;
}

/* Returns what conns[] hold of files, or NULL. */
static struct conn *
prepare(struct job *j)
{
	struct conn *conns = NULL;
	struct stats st;

	if (cf.noprep) {
		j->file = root_fh;
		conns = xcalloc((size_t)cf.conns, sizeof *conns);
		for (int i = 0; i < cf.conns; i++)
			conns[i].file = root_fh;
		return conns;
	}
	switch (cf.w) {
	case W_LOOKUP:
		if (cf.vers == 3)
			j->fhs = xcalloc(cf.entries, sizeof *j->fhs);
		files(W_MKFILES, 16, j->fhs, &st);
		break;
	case W_RENAME:
		cf.entries = (uint64_t)cf.conns * (uint64_t)cf.depth;
		files(W_MKFILES, 16, NULL, &st);
		break;
	case W_READDIR:
		files(W_MKFILES, 16, NULL, &st);
		break;
	case W_READ:
		prepare_read(j);
		break;
	case W_WRITE:
		conns = xcalloc((size_t)cf.conns, sizeof *conns);
		prepare_write(conns);
		break;
	default:
		break;
	}
	return conns;
}

static int *
open_idle(void)
{
	int *idle = xcalloc((size_t)cf.idle + 1, sizeof *idle);
	struct xd x;
	uint8_t *p;

	for (int i = 0; i < cf.idle; i++) {
		idle[i] = tcp_connect(cf.port);
		p = call_head(sync_buf, 0, PROG_NFS, (uint32_t)cf.vers, 0,
		    false);
		if (!sync_call(idle[i], p, &x))
			die("NULL failed on idle connection %d", i);
	}
	return idle;
}

/* --verify: read back every block that was written. */
static uint64_t
wrong_blocks(struct conn *conns)
{
	uint64_t n = 0;

	for (int i = 0; i < cf.conns; i++) {
		if (conns[i].written == NULL)
			continue;
		for (uint64_t k = 0; k <= cf.file_size / cf.size; k++)
			if (conns[i].written[k] &&
			    !block_is_right(&conns[i].file, k * cf.size))
				n++;
		free(conns[i].written);
	}
	return n;
}

static void
clear_away(void)
{
	struct stats st;
	char name[32];

	if (cf.w == W_LOOKUP || cf.w == W_READDIR)
		files(W_RMFILES, 16, NULL, &st);
	if (cf.w == W_READ)
		do_unlink(&work_dir, "data", false);
	for (int i = 0; cf.w == W_WRITE && i < cf.conns; i++) {
		snprintf(name, sizeof name, "w%d", i);
		do_unlink(&work_dir, name, false);
	}
}

int
run_workload(void)
{
	struct job j = { .w = cf.w, .conns = cf.conns, .depth = cf.depth,
		.secs = cf.secs, .warm = cf.warm, .dir = work_dir };
	struct conn *conns = prepare(&j);
	struct proc_use before, after;
	double cpu, wall, part;
	char extra[128] = "";
	struct stats st;
	int *idle;

	j.entries = cf.entries;
	idle = open_idle();
	proc_use(&before);
	cpu = self_cpu();
	wall = (double)now_ns();
	run_job(&j, cf.threads, &st, conns);
	wall = ((double)now_ns() - wall) / 1e9;
	cpu = self_cpu() - cpu;
	proc_use(&after);

	/* CPU was counted over the warm-up, too: scale it down. */
	part = wall > 0 ? cf.secs / wall : 1;
	after.cpu = before.cpu + (after.cpu - before.cpu) * part;
	if (after.csw < before.csw)	/* threads have ended */
		after.csw = before.csw;
	after.csw = before.csw +
	    (uint64_t)((double)(after.csw - before.csw) * part);

	if (conns != NULL)
		st.bad_data += wrong_blocks(conns);
	if (cf.w == W_READDIR)
		snprintf(extra, sizeof extra, cf.table ? "  list %.2f ms" :
		    ",\"listing_ms\":%.3f", hist_us(&st.txn, .5) / 1e3);
	else if (cf.table && st.txns != st.ops)
		snprintf(extra, sizeof extra, "  %.0f txn/s",
		    (double)st.txns / cf.secs);
	report(&st, cf.secs, cpu * part, &before, &after, extra);

	for (int i = 0; i < cf.idle; i++)
		close(idle[i]);
	if (!cf.keep)
		clear_away();
	free(conns);
	free(idle);
	free(j.fhs);
	return failures(&st) != 0;
}
