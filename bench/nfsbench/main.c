/*
 * nfsbench: load generator and latency meter for NFS servers.
 *
 * Speaks ONC RPC over TCP itself (no kernel client, nothing but libc and
 * pthreads), keeps a fixed number of calls outstanding on each of a fixed
 * number of connections (a closed loop), and prints one JSON object per run.
 * NFS 3 is complete; NFS 2 and 4.1 have the basic operations.  ../README.md
 * tells of the workloads, and how to read the numbers.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "nfsbench.h"

struct config cf = {
	.host = "127.0.0.1",
	.port = 2049,
	.pmap_port = 111,
	.export = "/",
	.vers = 3,
	.conns = 1,
	.depth = 1,
	.threads = 1,
	.secs = 3,
	.warm = 0.3,
	.size = 4096,
	.file_size = 64u << 20,
	.entries = 1000,
	.dircount = 32768,
	.plus = true,
};

static const struct {
	const char *name;
	enum wl w;
	const char *help;
} workloads[] = {
	{ "null", W_NULL, "procedure 0" },
	{ "getattr", W_GETATTR, "GETATTR of a directory" },
	{ "lookup", W_LOOKUP, "LOOKUP of random names among --entries files" },
	{ "access", W_ACCESS, "ACCESS of a directory" },
	{ "read", W_READ,
	    "READ --size bytes, --pattern, of one --file-size file" },
	{ "write", W_WRITE,
	    "WRITE --size bytes, --stable, to one file per connection" },
	{ "create", W_CREATE, "CREATE + REMOVE pairs in one directory" },
	{ "mkdir", W_MKDIR, "MKDIR + RMDIR pairs in one directory" },
	{ "rename", W_RENAME, "RENAME back and forth inside one directory" },
	{ "readdirplus", W_READDIR,
	    "full listings of a directory of --entries files" },
	{ "readdir", W_READDIR, "the same with READDIR" },
	{ "untar", W_UNTAR,
	    "MKDIR, then CREATE+SETATTR+WRITE+COMMIT per file" },
	{ "connscale", W_CONNSCALE, "GETATTR over --conns connections in turn, "
	    "--depth in flight in all" },
	{ "dirscale", W_DIRSCALE,
	    "create, list, look up and remove --entries files" },
};

static const char usage_text[] =
"usage: nfsbench --workload NAME [options]\n"
"  --host ADDR     server, IPv4 (127.0.0.1)  --port N      NFS port (2049)\n"
"  --mport N       MOUNT port (else asks the portmapper at --pmap-port, 111)\n"
"  --export PATH   what to mount (/)         --root-fh HEX instead of MOUNT\n"
"  --vers 2|3|4    4 means 4.1 (3)           --uid N --gid N  of AUTH_SYS (0)\n"
"  --conns N       connections (1)           --depth D     calls in flight (1)\n"
"  --seconds S     measured time (3)         --warmup S    before it (0.3)\n"
"  --threads T     client threads (1)        --idle K      more connections\n"
"  --size B        per READ or WRITE (4k)    --file-size B (64m)\n"
"  --pattern seq|random                      --entries N   in a dir. (1000)\n"
"  --stable unstable|datasync|filesync       --dir-reply B READDIR count (32k)\n"
"  --verify        check the data and the attributes that come back\n"
"  --server-pid P  also report that process's CPU time and memory\n"
"  --label TEXT    copied to the output      --table       text, not JSON\n"
"  --keep          leave the files there     --seed N\n"
"  --no-prepare    no MOUNT, no files: send the calls with a made-up handle,\n"
"                  or that of --root-fh\n"
"workloads:\n";

static void
usage(FILE *f)
{
	fputs(usage_text, f);
	for (size_t i = 0; i < sizeof workloads / sizeof workloads[0]; i++)
		fprintf(f, "  %-12s %s\n", workloads[i].name,
		    workloads[i].help);
}

static uint64_t
parse_size(const char *s)
{
	uint64_t v;
	char *end;

	v = strtoull(s, &end, 10);
	switch (*end) {
	case 'k': case 'K': return v << 10;
	case 'm': case 'M': return v << 20;
	case 'g': case 'G': return v << 30;
	default: return v;
	}
}

enum {
	O_HOST = 256, O_PORT, O_MPORT, O_PMAP, O_EXPORT, O_ROOT, O_VERS,
	O_UID, O_GID, O_CONNS, O_DEPTH, O_SECS, O_WARM, O_THREADS, O_IDLE,
	O_SIZE, O_FSIZE, O_PATTERN, O_STABLE, O_ENTRIES, O_DIRREPLY, O_VERIFY,
	O_PID, O_LABEL, O_TABLE, O_KEEP, O_SEED, O_WL, O_NOPREP
};

static const struct option options[] = {
	{ "host", 1, 0, O_HOST },
	{ "port", 1, 0, O_PORT },
	{ "mport", 1, 0, O_MPORT },
	{ "pmap-port", 1, 0, O_PMAP },
	{ "export", 1, 0, O_EXPORT },
	{ "root-fh", 1, 0, O_ROOT },
	{ "vers", 1, 0, O_VERS },
	{ "uid", 1, 0, O_UID },
	{ "gid", 1, 0, O_GID },
	{ "conns", 1, 0, O_CONNS },
	{ "depth", 1, 0, O_DEPTH },
	{ "seconds", 1, 0, O_SECS },
	{ "warmup", 1, 0, O_WARM },
	{ "threads", 1, 0, O_THREADS },
	{ "idle", 1, 0, O_IDLE },
	{ "size", 1, 0, O_SIZE },
	{ "file-size", 1, 0, O_FSIZE },
	{ "pattern", 1, 0, O_PATTERN },
	{ "stable", 1, 0, O_STABLE },
	{ "entries", 1, 0, O_ENTRIES },
	{ "dir-reply", 1, 0, O_DIRREPLY },
	{ "verify", 0, 0, O_VERIFY },
	{ "server-pid", 1, 0, O_PID },
	{ "label", 1, 0, O_LABEL },
	{ "table", 0, 0, O_TABLE },
	{ "keep", 0, 0, O_KEEP },
	{ "seed", 1, 0, O_SEED },
	{ "workload", 1, 0, O_WL },
	{ "no-prepare", 0, 0, O_NOPREP },
	{ "help", 0, 0, 'h' },
	{ 0, 0, 0, 0 }
};

/* clang-format off */
static void
set_option(int o, char *arg)
{
	switch (o) {
	case O_HOST: cf.host = arg; break;
	case O_PORT: cf.port = atoi(arg); break;
	case O_MPORT: cf.mport = atoi(arg); break;
	case O_PMAP: cf.pmap_port = atoi(arg); break;
	case O_EXPORT: cf.export = arg; break;
	case O_ROOT: cf.root_hex = arg; break;
	case O_VERS: cf.vers = atoi(arg); break;
	case O_UID: cf.uid = (uint32_t)strtoul(arg, NULL, 10); break;
	case O_GID: cf.gid = (uint32_t)strtoul(arg, NULL, 10); break;
	case O_CONNS: cf.conns = atoi(arg); break;
	case O_DEPTH: cf.depth = atoi(arg); break;
	case O_SECS: cf.secs = atof(arg); break;
	case O_WARM: cf.warm = atof(arg); break;
	case O_THREADS: cf.threads = atoi(arg); break;
	case O_IDLE: cf.idle = atoi(arg); break;
	case O_SIZE: cf.size = (uint32_t)parse_size(arg); break;
	case O_FSIZE: cf.file_size = parse_size(arg); break;
	case O_PATTERN: cf.random = arg[0] == 'r'; break;
	case O_STABLE:
		cf.stable = arg[0] == 'f' ? 2 : arg[0] == 'd' ? 1 : 0;
		break;
	case O_ENTRIES: cf.entries = parse_size(arg); break;
	case O_DIRREPLY: cf.dircount = (uint32_t)parse_size(arg); break;
	case O_VERIFY: cf.verify = true; break;
	case O_PID: cf.pid = atoi(arg); break;
	case O_LABEL: cf.label = arg; break;
	case O_TABLE: cf.table = true; break;
	case O_KEEP: cf.keep = true; break;
	case O_SEED: cf.seed = strtoull(arg, NULL, 10); break;
	case O_WL: cf.wname = arg; break;
	case O_NOPREP: cf.noprep = true; break;
	case 'h': usage(stdout); exit(0);
	default: usage(stderr); exit(2);
	}
}
/* clang-format on */

static void
check_options(void)
{
	if (cf.conns < 1 || cf.depth < 1 || cf.depth > 16384 || cf.threads < 1)
		die("bad --conns, --depth or --threads");
	if (cf.size == 0 || cf.size % 4 != 0 || cf.size > SIZE_MAX_IO)
		die("--size must be a multiple of 4, up to 4m");
	if (cf.file_size / (uint64_t)cf.conns < cf.size)
		die("--file-size is too small");
	if (cf.entries < 1 || cf.entries > 9999999)
		die("--entries must be 1 to 9999999");
	if (cf.vers < 2 || cf.vers > 4)
		die("--vers must be 2, 3 or 4");
	if (cf.vers != 3 && cf.w > W_CREATE && cf.w != W_CONNSCALE)
		die("this workload needs --vers 3");
	if (cf.vers == 2 && cf.w == W_ACCESS)
		die("this workload needs --vers 3 or 4");
	if (cf.vers == 4 && cf.verify && cf.w == W_WRITE)
		die("--verify of writes needs --vers 2 or 3");
	if (cf.vers == 2 && cf.size > 8192)
		die("NFS 2 moves at most 8192 bytes");
	if (cf.noprep && cf.w != W_NULL && cf.vers != 3)
		die("--no-prepare needs --vers 3");
	cf.addr.sin_family = AF_INET;
	if (inet_pton(AF_INET, cf.host, &cf.addr.sin_addr) != 1)
		die("--host must be an IPv4 address");
}

static bool
find_workload(void)
{
	if (cf.wname == NULL)
		return false;
	for (size_t i = 0; i < sizeof workloads / sizeof workloads[0]; i++) {
		if (strcmp(cf.wname, workloads[i].name) == 0) {
			cf.w = workloads[i].w;
			cf.plus = strcmp(cf.wname, "readdir") != 0;
			return true;
		}
	}
	return false;
}

static void
root_from_hex(void)
{
	size_t n = strlen(cf.root_hex) / 2;
	unsigned v;

	if (n == 0 || n > sizeof root_fh.b)
		die("bad --root-fh");
	for (size_t i = 0; i < n; i++) {
		if (sscanf(cf.root_hex + 2 * i, "%2x", &v) != 1)
			die("bad --root-fh");
		root_fh.b[i] = (uint8_t)v;
	}
	root_fh.len = (uint8_t)n;
}

/* Mount, make a directory to work in, run, and remove it. */
static int
run_in_directory(void)
{
	char name[64];
	int rc;

	if (cf.root_hex != NULL)
		root_from_hex();
	else if (cf.vers != 4)
		mount_root();
	conn_init(&setup, 0x7fff, 1);
	if (cf.vers == 4 && cf.root_hex == NULL)
		v4_root(&setup, &root_fh);
	snprintf(name, sizeof name, "nfsbench.%d.%" PRIx64, (int)getpid(),
	    cf.seed & 0xffffff);
	do_mkdir(&root_fh, name, &work_dir);
	rc = cf.w == W_DIRSCALE ? run_dirscale() : run_workload();
	if (!cf.keep)
		do_unlink(&root_fh, name, true);
	return rc;
}

int
main(int argc, char **argv)
{
	struct rlimit rl;
	int o;

	cf.seed = (uint64_t)time(NULL) ^ (uint64_t)getpid() << 20;
	while ((o = getopt_long(argc, argv, "h", options, NULL)) != -1)
		set_option(o, optarg);
	if (!find_workload()) {
		usage(stderr);
		return 2;
	}
	check_options();
	if (getrlimit(RLIMIT_NOFILE, &rl) == 0) {
		rl.rlim_cur = rl.rlim_max;
		setrlimit(RLIMIT_NOFILE, &rl);
	}
	call_template_init();
	pattern_init();
	if (cf.w == W_NULL)
		return run_workload();
	if (cf.noprep) {
		if (cf.root_hex != NULL)
			root_from_hex();
		else
			root_fh.len = 32;
		work_dir = root_fh;
		cf.keep = true;
		return run_workload();
	}
	return run_in_directory();
}
