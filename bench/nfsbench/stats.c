/* Latency histograms, the costs of the server's process, the report. */
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>

#include "nfsbench.h"

void
hist_add(struct hist *h, uint64_t ns)
{
	unsigned i, e;

	if (ns < HIST_SUB) {
		i = (unsigned)ns;
	} else {
		e = 63u - (unsigned)__builtin_clzll(ns);	/* >= 6 */
		i = (e - 5) * HIST_SUB +
		    (unsigned)((ns >> (e - 6)) & (HIST_SUB - 1));
		if (i >= HIST_N)
			i = HIST_N - 1;
	}
	h->b[i]++;
	h->n++;
	h->sum += ns;
	if (ns > h->max)
		h->max = ns;
}

double
hist_us(const struct hist *h, double quantile)
{
	uint64_t want = (uint64_t)((double)h->n * quantile), seen = 0, low;
	unsigned e;

	if (h->n == 0)
		return 0;
	for (unsigned i = 0; i < HIST_N; i++) {
		seen += h->b[i];
		if (seen <= want)
			continue;
		if (i < HIST_SUB)
			return (double)i / 1e3;
		e = i / HIST_SUB + 5;
		low = (1ull << e) + ((uint64_t)(i % HIST_SUB) << (e - 6));
		return (double)(low + (1ull << (e - 6)) / 2) / 1e3;
	}
	return (double)h->max / 1e3;
}

static void
hist_merge(struct hist *to, const struct hist *from)
{
	for (unsigned i = 0; i < HIST_N; i++)
		to->b[i] += from->b[i];
	to->n += from->n;
	to->sum += from->sum;
	if (from->max > to->max)
		to->max = from->max;
}

void
stats_merge(struct stats *to, const struct stats *from)
{
	hist_merge(&to->rpc, &from->rpc);
	hist_merge(&to->txn, &from->txn);
	to->ops += from->ops;
	to->txns += from->txns;
	to->bytes += from->bytes;
	to->entries += from->entries;
	to->nfs_err += from->nfs_err;
	to->rpc_err += from->rpc_err;
	to->bad_data += from->bad_data;
	if (to->first_err == 0)
		to->first_err = from->first_err;
	if (to->t_first == 0 || from->t_first < to->t_first)
		to->t_first = from->t_first;
	if (from->t_last > to->t_last)
		to->t_last = from->t_last;
}

uint64_t
failures(const struct stats *s)
{
	return s->nfs_err + s->rpc_err + s->bad_data;
}

/* Each line of a /proc file that has the format adds to or sets *value. */
static void
proc_value(const char *path, const char *format, uint64_t *value, bool add)
{
	char line[512];
	uint64_t v;
	FILE *f;

	if ((f = fopen(path, "r")) == NULL)
		return;
	while (fgets(line, sizeof line, f) != NULL)
		if (sscanf(line, format, &v) == 1)
			*value = add ? *value + v : v;
	fclose(f);
}

void
proc_use(struct proc_use *u)
{
	char path[400];
	struct timespec ts;
	struct dirent *e;
	clockid_t clock;
	DIR *d;

	memset(u, 0, sizeof *u);
	if (cf.pid == 0)
		return;
	/* This clock counts threads that have ended, too. */
	if (clock_getcpuclockid(cf.pid, &clock) == 0 &&
	    clock_gettime(clock, &ts) == 0)
		u->cpu = (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
	snprintf(path, sizeof path, "/proc/%d/status", cf.pid);
	proc_value(path, "VmRSS: %" SCNu64, &u->rss_kb, false);
	proc_value(path, "VmHWM: %" SCNu64, &u->hwm_kb, false);
	snprintf(path, sizeof path, "/proc/%d/task", cf.pid);
	if ((d = opendir(path)) == NULL)
		return;
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "/proc/%d/task/%s/status", cf.pid,
		    e->d_name);
		proc_value(path, "voluntary_ctxt_switches: %" SCNu64, &u->csw,
		    true);
	}
	closedir(d);
}

double
self_cpu(void)
{
	struct rusage r;

	getrusage(RUSAGE_SELF, &r);
	return (double)r.ru_utime.tv_sec + (double)r.ru_stime.tv_sec +
	    (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

static double
rate(uint64_t n, double secs)
{
	return secs > 0 ? (double)n / secs : 0;
}

static void
report_table(const struct stats *s, double secs, const char *extra)
{
	printf("%-12s %-11s v%d c=%-5d d=%-4d %8u B %10.0f op/s %8.1f MB/s  "
	    "p50 %8.1f  p90 %8.1f  p99 %8.1f  p99.9 %8.1f us  err %" PRIu64
	    "%s\n",
	    cf.label ? cf.label : "", cf.wname, cf.vers, cf.conns, cf.depth,
	    cf.size, rate(s->ops, secs), rate(s->bytes, secs) / 1e6,
	    hist_us(&s->rpc, .5), hist_us(&s->rpc, .9), hist_us(&s->rpc, .99),
	    hist_us(&s->rpc, .999), failures(s), extra);
}

void
report(const struct stats *s, double secs, double client_cpu,
    const struct proc_use *before, const struct proc_use *after,
    const char *extra)
{
	double cpu = after->cpu - before->cpu;
	double ops = s->ops ? (double)s->ops : 1;

	if (cf.table) {
		report_table(s, secs, extra);
		return;
	}
	printf("{\"label\":\"%s\",\"workload\":\"%s\",\"vers\":%d,"
	    "\"conns\":%d,\"depth\":%d,\"idle\":%d,\"threads\":%d,"
	    "\"size\":%u,\"pattern\":\"%s\",\"stable\":%u,\"seconds\":%.3f,",
	    cf.label ? cf.label : "", cf.wname, cf.vers, cf.conns, cf.depth,
	    cf.idle, cf.threads, cf.size, cf.random ? "random" : "seq",
	    cf.stable, secs);
	printf("\"ops\":%" PRIu64 ",\"ops_s\":%.1f,\"txn_s\":%.1f,"
	    "\"MB_s\":%.1f,\"entries_s\":%.0f,",
	    s->ops, rate(s->ops, secs), rate(s->txns, secs),
	    rate(s->bytes, secs) / 1e6, rate(s->entries, secs));
	printf("\"p50_us\":%.1f,\"p90_us\":%.1f,\"p99_us\":%.1f,"
	    "\"p999_us\":%.1f,\"max_us\":%.1f,\"txn_p50_us\":%.1f,"
	    "\"txn_p99_us\":%.1f,",
	    hist_us(&s->rpc, .5), hist_us(&s->rpc, .9), hist_us(&s->rpc, .99),
	    hist_us(&s->rpc, .999), (double)s->rpc.max / 1e3,
	    hist_us(&s->txn, .5), hist_us(&s->txn, .99));
	printf("\"nfs_err\":%" PRIu64 ",\"rpc_err\":%" PRIu64
	    ",\"bad_data\":%" PRIu64 ",\"first_err\":%u,\"verify\":%d,"
	    "\"client_cpu_s\":%.3f",
	    s->nfs_err, s->rpc_err, s->bad_data, s->first_err, cf.verify,
	    client_cpu);
	if (cf.pid != 0)
		printf(",\"server_cpu_s\":%.3f,\"server_us_per_op\":%.2f,"
		    "\"server_csw_per_op\":%.3f,\"server_rss_mb\":%.1f,"
		    "\"server_peak_mb\":%.1f",
		    cpu, s->ops ? cpu * 1e6 / ops : 0,
		    (double)(after->csw - before->csw) / ops,
		    (double)after->rss_kb / 1024,
		    (double)after->hwm_kb / 1024);
	printf("%s}\n", extra);
}
