/*
 * -f py: become the user's own python3, with pyfs in it.
 *
 * The program is replaced (exec), so that the interpreter, its packages and
 * its prompt are the user's.  What it is to serve, and how, goes by the
 * environment; python/pinefs/_startup.py reads it, and says there what each
 * variable means.
 */
#include "pinefs/py.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "server/cli.h"

enum { ARGS_MAX = 4096 };

/* Ends with 0 in a Python that will do. */
static const char probe[] =
    "import sys; sys.exit(0 if sys.version_info >= (3, 8) else 1)";

/*
 * Ends with 0 where the module loads: asked before this program is gone, if
 * others are to be served when it does not.
 */
static const char load_probe[] =
    "import sys\n"
    "sys.path[0] = sys.argv[1]; import pinefs\n"
    "sys.exit(pinefs.__version__ != sys.argv[2])";

/* Where the package lies: beside the program (built), or where it installs. */
static const char *const places[] = { "python", "../lib/pinefs/python" };

static int
say_no_package(const char *exe)
{
	log_error("the Python package is neither in %s/%s nor in %s/%s\n"
	    "try: build with python3-dev installed, or install pinefs",
	    exe, places[0], exe, places[1]);
	return EXIT_OSERR;
}

/*
 * The directory of the package, in memory of the process's life, or NULL.
 * Where this program lies goes to `exe`, if that can be told.
 */
static char *
look_for_package(char exe[PATH_MAX])
{
	ssize_t len = readlink("/proc/self/exe", exe, PATH_MAX - 1);
	char *dir, *file;
	size_t i;

	exe[len == -1 ? 0 : len] = '\0';
	if (len == -1)
		return NULL;
	*strrchr(exe, '/') = '\0';
	for (i = 0; i < sizeof places / sizeof places[0]; i++) {
		if (asprintf(&dir, "%s/%s", exe, places[i]) == -1 ||
		    asprintf(&file, "%s/pinefs/_startup.py", dir) == -1)
			return NULL;
		if (access(file, R_OK) == 0) {
			free(file);
			return dir;
		}
		free(file);
		free(dir);
	}
	return NULL;
}

static char *
find_package(int *status)
{
	char exe[PATH_MAX], *dir = look_for_package(exe);

	*status = EXIT_OSERR;
	if (dir != NULL)
		return dir;
	if (exe[0] == '\0')
		log_error("/proc/self/exe: %s", strerror(errno));
	else
		*status = say_no_package(exe);
	return NULL;
}

/* ---------------------------------------------------------- which python -- */

/* Does it end with 0, saying nothing? */
static bool
ends_well(const char *file, char *const argv[])
{
	pid_t pid = fork();
	int status, null;

	if (pid == -1)
		return false;
	if (pid == 0) {
		if ((null = open("/dev/null", O_RDWR)) != -1) {
			(void)dup2(null, 0);
			(void)dup2(null, 1);
			(void)dup2(null, 2);
		}
		(void)execvp(file, argv);
		_exit(127);
	}
	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return false;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* execve(2) takes them without const, and changes nothing. */
static char *
word(const char *text)
{
	return (char *)(uintptr_t)text;
}

/* A shim of a version manager may be there and lead nowhere. */
static bool
works(const char *python)
{
	char *const argv[] = { word("python3"), word("-I"), word("-S"),
	    word("-c"), word(probe), NULL };

	return ends_well(python, argv);
}

static bool
imports(const char *python, char *dir)
{
	char *const argv[] = { word("python3"), word("-c"),
	    word(load_probe), dir, word(pinefs_version()), NULL };

	return ends_well(python, argv);
}

static bool
loads(const char *python, char *dir)
{
	if (imports(python, dir))
		return true;
	log_error("the module pinefs in %s does not load in %s\n"
	    "try: PINEFS_PYTHON=/usr/bin/python3 pinefs", dir, python);
	return false;
}

/*
 * The first python3 on PATH that runs and is new enough; else NULL, and the
 * first one at all is *broken.
 */
static char *
search_path(char **broken)
{
	const char *path = getenv("PATH"), *end;
	char *python;

	*broken = NULL;
	if (path == NULL)
		path = "/usr/local/bin:/usr/bin:/bin";
	for (;; path = end + 1) {
		end = strchrnul(path, ':');
		if (asprintf(&python, "%.*s/python3", (int)(end - path),
		    end > path ? path : ".") == -1)
			return NULL;
		if (access(python, X_OK) == 0) {
			if (works(python)) {
				free(*broken);
				*broken = NULL;
				return python;
			}
			if (*broken == NULL) {
				*broken = python;
				python = NULL;
			}
		}
		free(python);
		if (*end == '\0')
			break;
	}
	return NULL;
}

static char *
find_on_path(void)
{
	char *broken, *python = search_path(&broken);

	if (python != NULL)
		return python;
	if (broken != NULL)
		log_error("%s does not run, or is older than 3.8\n"
		    "try: PINEFS_PYTHON=/usr/bin/python3 pinefs", broken);
	else
		log_error("there is no python3 on PATH\n"
		    "try: apt-get install python3, or PINEFS_PYTHON=FILE");
	free(broken);
	return NULL;
}

static char *
find_python(void)
{
	const char *given = getenv("PINEFS_PYTHON");

	if (given == NULL || *given == '\0')
		return find_on_path();
	if (strchr(given, '/') != NULL && access(given, X_OK) != 0) {
		log_error("PINEFS_PYTHON=%s: %s\n"
		    "try: PINEFS_PYTHON=/usr/bin/python3 pinefs", given,
		    strerror(errno));
		return NULL;
	}
	return strdup(given);
}

bool
py_look(struct py_found *f)
{
	const char *given = getenv("PINEFS_PYTHON");
	char exe[PATH_MAX], *broken = NULL, *python;

	*f = (struct py_found){ .package = look_for_package(exe) };
	f->given = given != NULL && *given != '\0';
	python = f->given ? strdup(given) : search_path(&broken);
	f->python = python != NULL ? python : broken;
	f->works = python != NULL && works(python);
	f->loads = f->works && f->package != NULL &&
	    imports(python, f->package);
	return f->loads;
}

/* ---------------------------------------------------------- environment -- */

/* What Python would take for numbers. */
static int
check_numbers(const struct cli_settings *settings)
{
	static const char *const names[] = { "port", "mount-port", "threads",
	    "lease" };
	const struct cli_setting *v = settings->v, *end = v + settings->n;
	unsigned i;
	int n;

	for (; v < end; v++)
		for (i = 0; i < sizeof names / sizeof names[0]; i++)
			if (strcmp(v->name, names[i]) == 0 &&
			    cli_number(v->name, v->value, &n) != 0) {
				cli_blame(v);
				return EXIT_USAGE;
			}
	return 0;
}

/* Lines NAME=VALUE; "?" before one that py need not know. */
static int
set_options(const struct cli_settings *settings)
{
	const struct cli_setting *v = settings->v;
	size_t len = 1;
	char *text, *p;
	unsigned i;
	int err;

	for (i = 0; i < settings->n; i++)
		len += strlen(v[i].name) + strlen(v[i].value) + 3;
	if ((text = p = malloc(len)) == NULL)
		return ENOMEM;
	*p = '\0';
	for (i = 0; i < settings->n; i++)
		p += sprintf(p, "%s%s=%s\n", v[i].environment ? "?" : "",
		    v[i].name, v[i].value);
	err = setenv("PINEFS_SERVE_OPTIONS", text, 1) == 0 ? 0 : errno;
	free(text);
	return err;
}

/* Lines "TYPE PATH BYTES ro|rw". */
static int
set_exports(const struct exports *xs)
{
	const struct export *x;
	size_t len = 1;
	char *text, *p;
	unsigned i;
	int err;

	for (i = 0; i < xs->n; i++)
		len += strlen(xs->x[i].type) + strlen(xs->x[i].path) +
		    sizeof "  18446744073709551615 ro\n";
	if ((text = p = malloc(len)) == NULL)
		return ENOMEM;
	for (i = 0; i < xs->n; i++) {
		x = &xs->x[i];
		p += sprintf(p, "%s %s %llu %s\n", x->type, x->path,
		    (unsigned long long)x->size, x->rules.ro ? "ro" : "rw");
	}
	err = setenv("PINEFS_SERVE_EXPORTS", text, 1) == 0 ? 0 : errno;
	free(text);
	return err;
}

static int
set_environment(const struct py_command *cmd, const char *dir,
    const char *startup, bool prompt)
{
	const char *own = getenv("PYTHONSTARTUP");
	char fd[16];
	int err;

	if (cmd->ready_fd != -1) {
		(void)snprintf(fd, sizeof fd, "%d", cmd->ready_fd);
		if (setenv("PINEFS_SERVE_READY", fd, 1) != 0)
			return errno;
	}
	if (cmd->quiet && setenv("PINEFS_SERVE_QUIET", "yes", 1) != 0)
		return errno;
	if (prompt && own != NULL &&
	    setenv("PINEFS_SERVE_STARTUP", own, 1) != 0)
		return errno;
	if (prompt && setenv("PYTHONSTARTUP", startup, 1) != 0)
		return errno;
	if (setenv("PINEFS_SERVE_DIR", dir, 1) != 0 ||
	    setenv("PINEFS_SERVE_VERSION", pinefs_version(), 1) != 0)
		return errno;
	if ((err = set_exports(cmd->exports)) != 0)
		return err;
	return set_options(cmd->settings);
}

/* -------------------------------------------------------------- running -- */

/*
 *	python3				the prompt; PYTHONSTARTUP is ours
 *	python3 startup -m MOD ARG...
 *	python3 startup SCRIPT ARG...
 *	python3 startup -		standard input, then until a signal
 *	python3 startup --		nothing: until a signal
 */
static int
make_args(const struct py_command *cmd, char *startup, bool prompt,
    char *argv[ARGS_MAX])
{
	unsigned n = 0, i;

	argv[n++] = word("python3");
	if (!prompt) {
		argv[n++] = startup;
		if (cmd->module != NULL) {
			argv[n++] = word("-m");
			argv[n++] = word(cmd->module);
		} else if (cmd->args[0] == NULL) {
			argv[n++] = word(cmd->no_loop ? "--" : "-");
		}
	}
	for (i = 0; cmd->args[i] != NULL; i++) {
		if (n == ARGS_MAX - 1) {
			log_error("more than %d arguments", ARGS_MAX);
			return EXIT_USAGE;
		}
		argv[n++] = cmd->args[i];
	}
	argv[n] = NULL;
	return 0;
}

int
py_main(const struct py_command *cmd)
{
	bool bare = cmd->module == NULL && cmd->args[0] == NULL;
	bool prompt = bare && !cmd->no_loop && isatty(STDIN_FILENO);
	char *argv[ARGS_MAX], *dir, *startup, *python;
	int status, err;

	if ((status = check_numbers(cmd->settings)) != 0)
		return status;
	if ((dir = find_package(&status)) == NULL)
		return status;
	if ((python = find_python()) == NULL ||
	    (cmd->exports->n > 1 && !loads(python, dir)))
		return EXIT_UNAVAILABLE;
	if (asprintf(&startup, "%s/pinefs/_startup.py", dir) == -1)
		return EXIT_OSERR;
	/* Without a prompt nothing else would keep the server alive. */
	if (cmd->no_loop || (bare && !prompt))
		(void)setenv("PINEFS_SERVE_LOOP", "no", 1);
	if ((status = make_args(cmd, startup, prompt, argv)) != 0)
		return status;
	if ((err = set_environment(cmd, dir, startup, prompt)) != 0) {
		log_error("the environment: %s", strerror(err));
		return EXIT_OSERR;
	}
	if (cmd->ready_fd != -1)
		(void)fcntl(cmd->ready_fd, F_SETFD, 0);
	(void)execvp(python, argv);
	log_error("%s: %s\ntry: PINEFS_PYTHON=/usr/bin/python3 pinefs",
	    python, strerror(errno));
	return EXIT_UNAVAILABLE;
}
