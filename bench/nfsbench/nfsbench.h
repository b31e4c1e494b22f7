/*
 * nfsbench: what its files share.
 *
 *	main.c		options
 *	util.c		memory, time, random numbers, the pattern of file data
 *	stats.c		latency histograms, what the server costs, the report
 *	sync.c		one call at a time: portmapper, MOUNT, set-up
 *	calls3.c	NFS 2 and 3: each workload's calls and replies
 *	calls4.c	NFS 4.1: the same, and its sessions
 *	conn.c		sending and receiving on a connection
 *	worker.c	the closed loop: threads, slots, jobs
 *	workload.c	preparing, running and clearing away a workload
 */
#ifndef BENCH_NFSBENCH_H
#define BENCH_NFSBENCH_H

#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xdr.h"

#define PROG_PMAP 100000u
#define PROG_NFS 100003u
#define PROG_MOUNT 100005u

#define HDR_MAX 1024		/* largest call, without WRITE data */
#define RBUF_SIZE (512u << 10)	/* receive buffer, one per thread */
#define REC_MAX (384u << 10)	/* largest reply that is not READ data */
#define STREAM_PEEK 512u	/* bytes of a READ reply parsed at once */
#define PAT_PERIOD ((1u << 20) + 4104u)
#define SIZE_MAX_IO (4u << 20)
#define STALL_NS 5000000000u	/* no reply for so long: give up */

struct fh {
	uint8_t len;
	uint8_t b[128];
};

enum wl {
	W_NULL,
	W_GETATTR,
	W_LOOKUP,
	W_ACCESS,
	W_READ,
	W_WRITE,
	W_CREATE,
	W_MKDIR,
	W_RENAME,
	W_READDIR,
	W_UNTAR,
	W_CONNSCALE,
	W_DIRSCALE,
	W_MKFILES,	/* preparation: f0000000, f0000001 ... */
	W_RMFILES,
	W_COUNT
};

struct config {
	struct sockaddr_in addr;
	const char *host;
	int port, mport, pmap_port;
	const char *export, *root_hex, *wname, *label;
	int vers;
	enum wl w;
	int conns, depth, threads, idle;
	double secs, warm;
	uint32_t size;
	uint64_t file_size;
	uint64_t entries;
	bool random, verify, table, keep, plus, noprep;
	uint32_t stable;
	uint32_t uid, gid;
	int pid;
	uint64_t seed;
	uint32_t dircount;
};

extern struct config cf;

/* Latencies: 64 linear steps in each power of two (1.6 % error). */
#define HIST_SUB 64
#define HIST_N (HIST_SUB * 40)

struct hist {
	uint64_t n, sum, max;
	uint32_t b[HIST_N];
};

struct stats {
	struct hist rpc, txn;
	uint64_t ops, txns, bytes, entries;
	uint64_t nfs_err, rpc_err, bad_data;
	uint32_t first_err;
	uint64_t t_first, t_last;
	uint64_t mark[11];	/* when each tenth of a counted job was done */
};

/* A call in flight, again and again. */
struct slot {
	struct conn *c;
	uint32_t idx, xid;
	int step;		/* of a transaction of several calls */
	bool busy;
	uint64_t t0, t_txn;
	uint64_t n;		/* transaction counter or name index */
	uint64_t off, cookie;
	uint8_t cverf[8];
	uint32_t v4seq, files;
	uint64_t seen;
	uint32_t bytes, entries; /* moved by the call that has just ended */
	struct fh fh, dir;
	uint8_t stateid[16];
	uint32_t hlen;
	const uint8_t *pay;
	uint32_t paylen;
	uint8_t hdr[HDR_MAX];
};

struct conn {
	int fd, id;
	bool want_out, dead;
	struct slot *slots;
	int nslots, inflight;
	struct slot **outq;	/* calls not fully sent, oldest first */
	int oq_head, oq_len;
	uint32_t oq_sent;	/* bytes of the oldest one already sent */
	uint8_t *carry;		/* an incomplete record */
	uint32_t carry_len;
	struct slot *st;	/* READ data being consumed */
	uint32_t st_left, st_rest; /* data bytes left, bytes after it */
	uint64_t st_off;
	bool st_bad;
	uint8_t *frag;		/* a record that comes in several fragments */
	uint32_t frag_len, frag_cap, frag_left;
	bool frag_on, frag_last;
	struct fh file;		/* this connection's file */
	uint8_t *written;	/* --verify: its blocks that were written */
	uint64_t next_off;
	uint8_t sess[16], stateid[16];
	uint64_t clientid;
};

struct job {
	enum wl w;
	int conns, depth;
	double secs, warm;
	uint64_t limit;		/* transactions; 0: run for secs */
	struct fh dir, file;
	uint64_t entries;
	struct fh *fhs;		/* expected handles (lookup, --verify) */
	bool fill;		/* write a file once, in order */
};

struct worker {
	struct job *j;
	int id, nthreads;
	struct conn *conns;
	int nconns;
	struct stats s;
	uint64_t rng, issued, txn_ctr;
	uint64_t t_warm, t_end;
	int ep, rr;
	bool stop;
	uint8_t *rbuf;
	pthread_t th;
	unsigned char *bitmap;	/* --verify: names a listing has given */
};

/* What became of a call. */
enum verdict { V_OK, V_NFS, V_RPC, V_BAD };

struct outcome {
	enum verdict verdict;
	bool txn;		/* a transaction is complete */
	uint32_t err;		/* V_NFS: the status */
};

/* How a protocol makes a workload's calls and takes their replies. */
struct calls {
	/* After start(), up to the end of the call. */
	uint8_t *(*build)(struct worker *, struct slot *);
	/* `x` is behind an NFS status of 0.  Sets *txn to false when the
	 * transaction goes on. */
	enum verdict (*digest)(struct worker *, struct slot *, struct xd *,
	    bool *txn);
};

extern const struct calls calls3[W_COUNT], calls4[W_COUNT];

/* util.c */
_Noreturn void die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void *xcalloc(size_t n, size_t size);
uint64_t now_ns(void);
uint64_t rng_next(uint64_t *state);
void pattern_init(void);
const uint8_t *pat_at(uint64_t off);	/* the file data from there on */
void name_of(char *buf, size_t size, const char *prefix, uint64_t n);

/* stats.c */
struct proc_use {
	double cpu;
	uint64_t rss_kb, hwm_kb, csw;
};

void hist_add(struct hist *, uint64_t ns);
double hist_us(const struct hist *, double quantile);
void stats_merge(struct stats *, const struct stats *);
uint64_t failures(const struct stats *);
void proc_use(struct proc_use *);
double self_cpu(void);
void report(const struct stats *, double secs, double client_cpu,
    const struct proc_use *before, const struct proc_use *after,
    const char *extra);

/* sync.c: everything here ends the program on failure. */
extern struct fh root_fh;
extern struct fh work_dir;
extern struct conn setup;	/* used one call at a time */
extern uint8_t sync_buf[HDR_MAX * 2];

int tcp_connect(int port);
uint8_t *call_head(uint8_t *p, uint32_t xid, uint32_t prog, uint32_t vers,
    uint32_t proc, bool auth);
/* Send the call in sync_buf that ends at `end`; false when it is rejected.
 * `x` is left at the results. */
bool sync_call(int fd, uint8_t *end, struct xd *x);
void mount_root(void);
void do_mkdir(const struct fh *dir, const char *name, struct fh *out);
void do_create(const struct fh *dir, const char *name, struct fh *out);
void do_unlink(const struct fh *dir, const char *name, bool isdir);
bool block_is_right(const struct fh *, uint64_t off);

/* calls3.c */
uint8_t *put_fh(uint8_t *, const struct fh *);
bool get_fh(struct xd *, struct fh *);
uint8_t *put_sattr2(uint8_t *, uint32_t mode);
uint8_t *put_sattr3(uint8_t *, uint32_t mode);
void skip_attr3(struct xd *);
void op_name(const struct worker *, const struct slot *, char *, size_t);

/* calls4.c */
uint32_t v4_reply(struct xd *);	/* past SEQUENCE; the compound's status */
uint32_t v4_read_status(struct xd *, uint32_t *len);
void v4_conn_init(struct conn *, int nslots);
void v4_root(struct conn *, struct fh *);
void v4_conn_open(struct conn *, const struct fh *dir, const char *name,
    struct fh *out, uint8_t *stateid);
void v4_mkdir(const struct fh *dir, const char *name, struct fh *out);
void v4_remove(const struct fh *dir, const char *name);

/* conn.c */
void conn_init(struct conn *, int id, int depth);
void conn_fini(struct conn *);
void conn_dead(struct worker *, struct conn *);
bool conn_flush(struct worker *, struct conn *); /* false: the socket is full */
bool conn_input(struct worker *, struct conn *, int flags);

/* worker.c */
uint8_t *start(struct slot *, uint32_t proc);
void call_template_init(void);
void finished(struct worker *, struct slot *, struct outcome, uint64_t now);
void issue(struct worker *, struct slot *, uint64_t now);
uint64_t next_offset(struct worker *, struct slot *, uint64_t span);
void run_job(struct job *, int threads, struct stats *, struct conn *keep);
void counted(struct job, struct stats *);

/* workload.c */
int run_dirscale(void);
int run_workload(void);

#endif
