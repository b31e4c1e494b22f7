/*
 * What a server has to tell of itself, as lines of JSON: for the control
 * socket, the log and, in another form, for metrics.
 */
#ifndef SERVER_REPORT_H
#define SERVER_REPORT_H

#include "base/json.h"
#include "rpc/stats.h"
#include "server/server.h"

enum { REPORT_EXPORTS = 16 };	/* whose files are watched: the first */

struct report_file {
	uint32_t	export_id;
	uint64_t	fileid, count;
};

/* All that was counted at one time. */
struct report {
	uint64_t		 ms;
	struct rpc_counts	 counts;
	struct stats_row	*rows;
	struct stats_client	*clients;
	struct report_file	*files;
	unsigned		 nrows, nclients, nfiles;
};

/*
 * `clients` may be NULL: nobody was asked.  What there is no memory for is
 * left out.
 */
void	report_take(struct pinefs_server *, const struct stats_clients *,
	    struct report *);
void	report_free(struct report *);

/* Since the start of the server. */
void	report_put(struct pinefs_server *, const struct report *,
	    struct json *);
/* What came between the two, as rates. */
void	report_put_between(struct pinefs_server *, const struct report *before,
	    const struct report *now, struct json *);

/* Since the start, as lines of the log.  Waits for loops, but not long. */
void	report_log(struct pinefs_server *);

/*
 * Somebody watches from now on, or no more: histograms and hot files are
 * counted while there is one.  On one thread, the control socket's.
 */
void	report_watch(struct pinefs_server *, bool on);

#endif
