#include "base/log_form.h"

#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

typedef size_t form_fn(char *to, size_t size, const struct log_record *);

static size_t
plain(char *to, size_t size, const struct log_record *r)
{
	return log_form_text(to, size, r, false);
}

static size_t
coloured(char *to, size_t size, const struct log_record *r)
{
	return log_form_text(to, size, r, true);
}

/* What the record looks like; and that it does in no byte less. */
static const char *
look(form_fn *form, enum log_level level, const char *text, unsigned missed)
{
	static char to[1024], cut[1024];
	struct log_record r = { .level = level, .text = text,
	    .len = strlen(text), .missed = missed, .seconds = 10,
	    .time = { 1767225599, 123456789 }, .pid = 4711 };
	size_t n = form(to, sizeof to, &r), i;

	CHECK(n < sizeof to && n <= log_form_room(&r));
	to[n < sizeof to ? n : 0] = '\0';
	for (i = 0; i < n; i++) {
		memset(cut, '#', sizeof cut);
		CHECK(form(cut, i, &r) == n);
		CHECK(memcmp(cut, to, i) == 0 || form == log_form_journal);
		CHECK(cut[i] == '#');
	}
	return to;
}

#define LOOKS(form, level, text, missed, is) \
    assert_string_equal(look(form, LOG_LEVEL_##level, text, missed), is)

static void
test_text_is_a_line_with_its_level(void)
{
	LOOKS(plain, ERROR, "no", 0, "pinefs: no\n");
	LOOKS(plain, WARNING, "hm", 0, "pinefs: warning: hm\n");
	LOOKS(plain, INFO, "so", 0, "pinefs: so\n");
	LOOKS(plain, DEBUG, "x", 0, "pinefs: debug: x\n");
	LOOKS(plain, ERROR, "no\ntry: yes", 0, "pinefs: no\ntry: yes\n");
}

static void
test_colours_end_before_the_text(void)
{
	LOOKS(coloured, ERROR, "no", 0, "\033[1;31mpinefs: \033[0mno\n");
	LOOKS(coloured, WARNING, "hm", 0,
	    "\033[1;33mpinefs: warning: \033[0mhm\n");
	LOOKS(coloured, INFO, "so", 0, "pinefs: so\n");
}

static void
test_what_a_terminal_could_obey_is_shown(void)
{
	LOOKS(plain, INFO, "a\033[2Jb\rc\nd\te\177", 0,
	    "pinefs: a\\x1b[2Jb\\x0dc\\x0ad\\x09e\\x7f\n");
	/* CSI in one character; an overlong slash; a surrogate; too large. */
	LOOKS(plain, INFO, "\xc2\x9b \xc0\xaf \xed\xa0\x80 \xf4\x90\x80\x80", 0,
	    "pinefs: \\xc2\\x9b \\xc0\\xaf \\xed\\xa0\\x80 "
	    "\\xf4\\x90\\x80\\x80\n");
	LOOKS(plain, INFO, "Stra\xc3\x9f""e \xe2\x82\xac \xf0\x9f\x8c\xb2", 0,
	    "pinefs: Stra\xc3\x9f""e \xe2\x82\xac \xf0\x9f\x8c\xb2\n");
	LOOKS(plain, INFO, "cut \xe2\x82", 0, "pinefs: cut \\xe2\\x82\n");
	/* Only one line may follow, and only so. */
	LOOKS(plain, INFO, "a\ntry: b\ntry: c", 0,
	    "pinefs: a\ntry: b\\x0atry: c\n");
}

static void
test_what_was_left_out_is_told(void)
{
	LOOKS(plain, WARNING, "bad", 37,
	    "pinefs: warning: bad ... 37 more in 10 s\n");
	LOOKS(plain, WARNING, "bad\ntry: x", 1,
	    "pinefs: warning: bad ... 1 more in 10 s\ntry: x\n");
}

static void
test_json_is_one_object_on_a_line(void)
{
	LOOKS(log_form_json, WARNING, "a \"b\" \\ \033\ntry: \"c\"", 37,
	    "{\"time\":\"2025-12-31T23:59:59.123456Z\",\"level\":\"warning\","
	    "\"pid\":4711,\"message\":\"a \\\"b\\\" \\\\ \\\\x1b\",\"more\":37,"
	    "\"seconds\":10,\"try\":\"\\\"c\\\"\"}\n");
}

static void
test_the_journal_has_its_fields(void)
{
	char want[] = "PRIORITY=4\nSYSLOG_IDENTIFIER=pinefs\nSYSLOG_PID=4711\n"
	    "PINEFS_MORE=2\nPINEFS_SECONDS=10\nMESSAGE\n"
	    "\x21\0\0\0\0\0\0\0a\\x0ab ... 2 more in 10 s\ntry: hm\n";
	const char *is = look(log_form_journal, LOG_LEVEL_WARNING,
	    "a\nb\ntry: hm", 2);

	want[sizeof want - 1] = '\0';
	assert_memory_equal(is, want, sizeof want);
}

/* ------------------------------------------------------------ where it goes -- */

/* Standard error, caught. */
static int caught = -1, was = -1;

static void
catch(void)
{
	char path[] = "/tmp/pinefs-log-XXXXXX";

	caught = mkstemp(path);
	unlink(path);
	was = dup(STDERR_FILENO);
	CHECK(caught != -1 && was != -1 &&
	    dup2(caught, STDERR_FILENO) != -1);
}

static const char *
let_go(void)
{
	static char text[1 << 16];
	ssize_t n = pread(caught, text, sizeof text - 1, 0);

	CHECK(n >= 0 && dup2(was, STDERR_FILENO) != -1);
	text[n] = '\0';
	close(was);
	close(caught);
	return text;
}

static void
test_levels_are_dropped_above_the_one_that_is_set(void)
{
	catch();
	log_set_level(LOG_LEVEL_WARNING);
	log_error("e");
	log_warning("w");
	log_info("i");
	log_debug("d");
	log_set_level(LOG_LEVEL_INFO);
	assert_string_equal(let_go(), "pinefs: e\npinefs: warning: w\n");
}

static void
test_colours_are_for_terminals_and_who_asks(void)
{
	catch();
	log_info("%s", "");
	log_error("plain");	/* a file */
	CHECK(log_set_colour("always") == 0);
	log_error("red");
	CHECK(log_set_colour("never") == 0);
	log_error("plain");
	CHECK(log_set_colour("pink") == EINVAL);
	CHECK(log_set_colour("auto") == 0);
	assert_string_equal(let_go(), "pinefs: \npinefs: plain\n"
	    "\033[1;31mpinefs: \033[0mred\npinefs: plain\n");
}

static void
test_a_long_text_is_whole(void)
{
	static char text[20000];
	const char *is;

	memset(text, 'x', sizeof text - 1);
	catch();
	log_info("%s", text);
	is = let_go();
	CHECK(strlen(is) == sizeof text - 1 + sizeof "pinefs: \n" - 1);
}

/* The same, but for how many seconds it took here: a digit is a '#'. */
static char *
without_seconds(const char *text)
{
	static char to[1024];
	char *p;

	snprintf(to, sizeof to, "%s", text);
	for (p = to; (p = strstr(p, " in ")) != NULL; p++)
		memset(p + 4, '#', strspn(p + 4, "0123456789"));
	return to;
}

static void
test_repeated_events_are_counted(void)
{
	struct log_limit limit = { .missed = 0 }, other = { .missed = 0 };
	int i;

	catch();
	for (i = 0; i < 38; i++)
		log_limited(&limit, "bad %d", i);
	log_limited(&other, "once");
	log_count(false);	/* the time is not over */
	log_count(true);
	log_count(true);	/* nothing since then */
	log_limited(&limit, "bad again");
	log_limit_end(&limit);
	log_limit_end(&other);
	log_count(true);
	assert_string_equal(without_seconds(let_go()),
	    "pinefs: warning: bad 0\n"
	    "pinefs: warning: once\n"
	    "pinefs: warning: bad 0 ... 37 more in # s\n"
	    "pinefs: warning: bad 0 ... 1 more in # s\n");
}

/* ------------------------------------------------------ a reader that waits -- */

static void *
warn(void *arg)
{
	log_limited(arg, "the other one");
	return NULL;
}

static void
fill(int fd)
{
	char bytes[4096] = { 0 };

	CHECK(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
	while (write(fd, bytes, sizeof bytes) > 0)
		;
	while (write(fd, bytes, 1) > 0)
		;
	CHECK(fcntl(fd, F_SETFL, 0) == 0);
}

/* A file system is freed while a loop writes to a terminal that stands. */
static void
test_a_limit_ends_while_nobody_reads_the_log(void)
{
	static struct log_limit limit, other;
	char bytes[4096];
	int p[2], keep = dup(STDERR_FILENO);
	pthread_t thread;
	ssize_t n;

	CHECK(keep != -1 && pipe(p) == 0);
	catch();
	log_limited(&limit, "first");
	(void)let_go();
	fill(p[1]);
	CHECK(dup2(p[1], STDERR_FILENO) == STDERR_FILENO);
	CHECK(pthread_create(&thread, NULL, warn, &other) == 0);
	while (atomic_load(&other.last_ms) == 0)
		sched_yield();
	log_limit_end(&limit);
	limit.missed = 77;	/* whatever the memory is used for now */
	while ((n = read(p[0], bytes, sizeof bytes)) > 0 &&
	    memchr(bytes, '\n', (size_t)n) == NULL)
		;
	CHECK(n > 0 && pthread_join(thread, NULL) == 0);
	CHECK(dup2(keep, STDERR_FILENO) == STDERR_FILENO);
	catch();
	log_count(true);
	assert_string_equal(let_go(), "");
	log_limit_end(&other);
	close(keep);
	close(p[0]);
	close(p[1]);
}

static void
test_the_environment_is_looked_at_once(void)
{
	int keep = dup(STDERR_FILENO), tty = posix_openpt(O_RDWR | O_NOCTTY);
	char text[128] = "";
	int other;

	CHECK(tty != -1 && grantpt(tty) == 0 && unlockpt(tty) == 0);
	CHECK((other = open(ptsname(tty), O_RDWR | O_NOCTTY)) != -1);
	CHECK(setenv("TERM", "xterm", 1) == 0 && unsetenv("NO_COLOR") == 0);
	log_read_environment();
	CHECK(setenv("NO_COLOR", "1", 1) == 0);
	CHECK(dup2(other, STDERR_FILENO) == STDERR_FILENO);
	log_error("red");
	CHECK(dup2(keep, STDERR_FILENO) == STDERR_FILENO);
	CHECK(read(tty, text, sizeof text - 1) > 0);
	assert_string_equal(text, "\033[1;31mpinefs: \033[0mred\r\n");
	close(keep);
	close(other);
	close(tty);
}

static int
listen_as_journal(char path[64])
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	snprintf(path, 64, "/tmp/pinefs-journal-%d", (int)getpid());
	unlink(path);
	strcpy(sun.sun_path, path);
	CHECK(fd != -1 && bind(fd, (struct sockaddr *)&sun, sizeof sun) == 0);
	log_set_journal(path);
	CHECK(log_set_format("journal") == 0);
	return fd;
}

static void
test_the_journal_hears_it(void)
{
	char path[64], text[1024];
	int fd = listen_as_journal(path);
	ssize_t n;

	catch();
	log_error("what %d", 42);
	assert_string_equal(let_go(), "");
	n = recv(fd, text, sizeof text - 1, MSG_DONTWAIT);
	CHECK(n > 10);
	CHECK(memcmp(text, "PRIORITY=3\n", 11) == 0);
	CHECK(memcmp(text + n - 8, "what 42\n", 8) == 0);
	CHECK(log_set_format("text") == 0);
	close(fd);
	unlink(path);
}

/* The descriptor that came with a datagram of no bytes. */
static int
receive_fd(int fd)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
	struct msghdr m = { .msg_control = control,
	    .msg_controllen = sizeof control };
	int file;

	CHECK(recvmsg(fd, &m, MSG_DONTWAIT) == 0);
	CHECK(CMSG_FIRSTHDR(&m) != NULL);
	memcpy(&file, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof file);
	return file;
}

static void
test_what_no_datagram_holds_goes_to_the_journal_in_a_sealed_file(void)
{
	enum { LEN = 3 << 20 };
	char path[64], *text = malloc(LEN + 1), end[3];
	int fd = listen_as_journal(path), file;
	off_t size;

	memset(text, 'x', LEN);
	text[LEN] = '\0';
	catch();
	log_info("%sy", text);
	assert_string_equal(let_go(), "");
	file = receive_fd(fd);
	size = lseek(file, 0, SEEK_END);
	CHECK(size > LEN && size < LEN + 512);
	CHECK(pread(file, end, 3, size - 3) == 3 && memcmp(end, "xy\n", 3) ==
	    0);
	CHECK((fcntl(file, F_GET_SEALS) & F_SEAL_WRITE) != 0);
	CHECK(log_set_format("text") == 0);
	close(file);
	close(fd);
	unlink(path);
	free(text);
}

static void
test_without_a_journal_it_is_text(void)
{
	log_set_journal("/no/such/socket");
	CHECK(log_set_format("journal") == 0);
	catch();
	log_error("heard");
	assert_string_equal(let_go(), "pinefs: heard\n");
	CHECK(log_set_format("xml") == EINVAL);
	CHECK(log_set_format("text") == 0);
}

CHECK_MAIN(
	CHECK_TEST(test_text_is_a_line_with_its_level),
	CHECK_TEST(test_colours_end_before_the_text),
	CHECK_TEST(test_what_a_terminal_could_obey_is_shown),
	CHECK_TEST(test_what_was_left_out_is_told),
	CHECK_TEST(test_json_is_one_object_on_a_line),
	CHECK_TEST(test_the_journal_has_its_fields),
	CHECK_TEST(test_levels_are_dropped_above_the_one_that_is_set),
	CHECK_TEST(test_colours_are_for_terminals_and_who_asks),
	CHECK_TEST(test_a_long_text_is_whole),
	CHECK_TEST(test_repeated_events_are_counted),
	CHECK_TEST(test_a_limit_ends_while_nobody_reads_the_log),
	CHECK_TEST(test_the_environment_is_looked_at_once),
	CHECK_TEST(test_the_journal_hears_it),
	CHECK_TEST(test_what_no_datagram_holds_goes_to_the_journal_in_a_sealed_file),
	CHECK_TEST(test_without_a_journal_it_is_text),
)
