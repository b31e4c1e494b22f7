/* OpenMetrics.  See metrics.h. */
#include "server/metrics.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "rpc/peer.h"
#include "server/report.h"

enum { BACKLOG = 16, FIRST = 10, LAST = 34 };	/* le: 2^10 ns to 2^34 ns */

static void put(struct json *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void
put(struct json *j, const char *fmt, ...)
{
	char line[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	if (n > 0)
		json_append(j, line, (size_t)n < sizeof line ? (size_t)n :
		    sizeof line - 1);
}

/* ------------------------------------------------------------- families -- */

static void
put_counts(const struct rpc_counts *c, struct json *j)
{
	unsigned i;

	for (i = 0; i < LOOP_COUNTERS; i++)
		put(j, "# TYPE pinefs_%s counter\npinefs_%s_total %" PRIu64
		    "\n", stats_counter_name(i), stats_counter_name(i),
		    c->count[i]);
	put(j, "# TYPE pinefs_connections gauge\n"
	    "pinefs_connections %" PRIu64 "\n", c->connections);
	put(j, "# TYPE pinefs_calls_in_flight gauge\n"
	    "pinefs_calls_in_flight %" PRIu64 "\n", c->in_flight);
	put(j, "# TYPE pinefs_buffers_bytes gauge\n"
	    "# UNIT pinefs_buffers_bytes bytes\n"
	    "pinefs_buffers_bytes %" PRIu64 "\n", c->memory);
}

/* program="NFS_V3",procedure="READ",status="NFS3_OK": words of tables. */
static void
put_labels(const struct stats_row *row, struct json *j)
{
	char status[16];

	put(j, "program=\"%s\",%s=\"%s\",status=\"%s\"",
	    row->program->service->name, row->part ? "operation" :
	    "procedure", stats_name(row), stats_status(row, status,
	    sizeof status));
}

static void
put_row_counts(const struct report *r, bool parts, const char *family,
    struct json *j)
{
	unsigned i;

	put(j, "# TYPE %s counter\n", family);
	for (i = 0; i < r->nrows; i++) {
		if (r->rows[i].part != parts)
			continue;
		put(j, "%s_total{", family);
		put_labels(&r->rows[i], j);
		put(j, "} %" PRIu64 "\n", r->rows[i].count);
	}
}

static void
put_bucket(const struct stats_row *row, const char *le, uint64_t n,
    struct json *j)
{
	put(j, "pinefs_call_duration_seconds_bucket{");
	put_labels(row, j);
	put(j, ",le=\"%s\"} %" PRIu64 "\n", le, n);
}

/* The sum of the buckets is the count: `timed` may be a call ahead. */
static void
put_histogram(const struct stats_row *row, struct json *j)
{
	uint64_t n = 0, all = 0;
	unsigned i = 0, k;
	char le[32];

	for (k = FIRST; k <= LAST; k++) {
		while (i < STATS_BUCKETS &&
		    stats_bucket_end(i) <= UINT64_C(1) << k)
			n += row->bucket[i++];
		snprintf(le, sizeof le, "%.9g",
		    (double)(UINT64_C(1) << k) / 1e9);
		json_point(le);
		put_bucket(row, le, n, j);
	}
	for (i = 0; i < STATS_BUCKETS; i++)
		all += row->bucket[i];
	put_bucket(row, "+Inf", all, j);
	put(j, "pinefs_call_duration_seconds_count{");
	put_labels(row, j);
	put(j, "} %" PRIu64 "\npinefs_call_duration_seconds_sum{", all);
	put_labels(row, j);
	put(j, "} %" PRIu64 ".%09" PRIu64 "\n", row->ns / 1000000000,
	    row->ns % 1000000000);
}

static void
put_histograms(const struct report *r, struct json *j)
{
	unsigned i;

	put(j, "# TYPE pinefs_call_duration_seconds histogram\n"
	    "# UNIT pinefs_call_duration_seconds seconds\n"
	    "# HELP pinefs_call_duration_seconds Of some calls of each "
	    "kind, where many come.\n");
	for (i = 0; i < r->nrows; i++)
		if (r->rows[i].timed > 0)
			put_histogram(&r->rows[i], j);
}

static void
put_all(struct pinefs_server *s, struct json *j)
{
	struct report r;

	report_take(s, NULL, &r);
	put(j, "# TYPE pinefs_build info\n"
	    "pinefs_build_info{version=\"%s\"} 1\n", PINEFS_VERSION);
	put_counts(&r.counts, j);
	put_row_counts(&r, false, "pinefs_replies", j);
	put_row_counts(&r, true, "pinefs_operations", j);
	put_histograms(&r, j);
	put(j, "# EOF\n");
	report_free(&r);
}

/* ----------------------------------------------------------------- HTTP -- */

/* "GET /metrics HTTP/1.1" */
static bool
is_for(const char *request, const char *begin)
{
	size_t n = strlen(begin);

	return strncmp(request, begin, n) == 0 &&
	    (request[n] == ' ' || request[n] == '?');
}

void
metrics_answer(struct pinefs_server *s, const char *request,
    struct json *answer)
{
	struct json body = { 0 };
	const char *status = "200 OK";

	if (is_for(request, "GET /metrics"))
		put_all(s, &body);
	else if (strncmp(request, "GET ", 4) == 0)
		status = "404 Not Found";
	else
		status = "405 Method Not Allowed";
	put(answer, "HTTP/1.1 %s\r\n%sContent-Type: "
	    "application/openmetrics-text; version=1.0.0; charset=utf-8\r\n"
	    "Content-Length: %zu\r\nConnection: close\r\n\r\n", status,
	    status[0] == '2' ? "" : "Allow: GET\r\n", body.len);
	if (body.len > 0)
		json_append(answer, body.text, body.len);
	answer->bad = answer->bad || body.bad;
	json_free(&body);
}

/* ------------------------------------------------------------ listening -- */

static int
parse(const char *where, struct sockaddr_storage *ss, socklen_t *len)
{
	const char *colon = strrchr(where, ':');
	char host[64], *end;
	unsigned long port;
	size_t n;

	if (colon == NULL)
		return EINVAL;
	port = strtoul(colon + 1, &end, 10);
	n = (size_t)(colon - where);
	if (end == colon + 1 || *end != '\0' || port > 65535 ||
	    n >= sizeof host)
		return EINVAL;
	memcpy(host, where, n);
	host[n] = '\0';
	if (host[0] == '[' && n > 2 && host[n - 1] == ']') {
		host[n - 1] = '\0';
		memmove(host, host + 1, n - 1);
	}
	if (peer_parse(host, (uint16_t)port, ss, len) != 0)
		return EINVAL;
	return peer_is_loopback(ss) ? 0 : EPERM;
}

/* A socket that nobody answers at was left by a server that was killed. */
static bool
is_left(const struct sockaddr_un *sun)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0);
	bool left = fd != -1 && connect(fd, (const struct sockaddr *)sun,
	    sizeof *sun) == -1 && errno == ECONNREFUSED;

	if (fd != -1)
		close(fd);
	return left;
}

static int
address(const char *where, struct sockaddr_storage *ss, socklen_t *len)
{
	struct sockaddr_un *sun = (struct sockaddr_un *)ss;

	memset(ss, 0, sizeof *ss);
	if (where[0] != '/')
		return parse(where, ss, len);
	if (strlen(where) >= sizeof sun->sun_path)
		return ENAMETOOLONG;
	sun->sun_family = AF_UNIX;
	strcpy(sun->sun_path, where);
	*len = sizeof *sun;
	if (is_left(sun))
		(void)unlink(where);
	return 0;
}

int
metrics_listen(const char *where, struct fds *fds, int *to)
{
	struct sockaddr_storage ss;
	int err, fd, on = 1;
	socklen_t len;

	if ((err = address(where, &ss, &len)) != 0)
		return err;
	fds_begin();
	fd = fds_end(fds, socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC |
	    SOCK_NONBLOCK, 0));
	if (fd == -1)
		return errno;
	if (ss.ss_family == AF_UNIX)
		(void)fchmod(fd, 0600);	/* the file's, at bind */
	else
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on,
		    sizeof on);
	if (bind(fd, (struct sockaddr *)&ss, len) == -1 ||
	    listen(fd, BACKLOG) == -1) {
		err = errno;
		fds_close(fds, fd);
		return err;
	}
	*to = fd;
	return 0;
}

const char *
metrics_why(int err)
{
	switch (err) {
	case EINVAL:
		return "not like 127.0.0.1:9100, [::1]:9100 or /PATH";
	case EPERM:
		return "not loopback; say 127.0.0.1:PORT or /PATH";
	case EADDRINUSE:
		return "in use; say another";
	case ENAMETOOLONG:
		return "longer than a socket's path may be; say a shorter one";
	}
	return strerror(err);
}

void
metrics_unlink(const char *where)
{
	if (where[0] == '/')
		(void)unlink(where);
}
