/* Clients on stable storage: server/clients.c. */
#include "server/clients.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

/* One state directory, and a server that uses it now and then. */
static char dir[64];
static struct state state;
static struct clients *clients;
static struct nfs4_records r;

static void
start(void)
{
	state_open(&state, dir, "test");
	CHECK(state.dir != -1);
	CHECK((clients = clients_new(&state, &r)) != NULL);
}

static void
stop(void)
{
	clients_free(clients);
	state_close(&state);
}

static void
restart(void)
{
	stop();
	start();
}

static void
begin(void)
{
	strcpy(dir, "/tmp/pinefs-clients-XXXXXX");
	CHECK(mkdtemp(dir) != NULL);
	start();
}

static void
finish(void)
{
	static const char *const names[] = { "key", "lock", "clients",
	    "clients.new" };
	char path[128];

	stop();
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		snprintf(path, sizeof path, "%s/%s", dir, names[i]);
		remove(path);	/* a directory, too */
	}
	CHECK(rmdir(dir) == 0);
}

static void
add(const char *owner)
{
	CHECK(r.add(r.arg, owner, (uint32_t)strlen(owner)) == 0);
}

static void
take_out(const char *owner)
{
	r.remove(r.arg, owner, (uint32_t)strlen(owner));
}

static void
sync_all(void)
{
	CHECK(r.sync(r.arg) == 0);
}

/* Those that may reclaim. */
struct seen {
	unsigned	n;
	const void	*wanted;
	uint32_t	 len;
	unsigned	 found;
};

static void
see(void *ctx, const void *owner, uint32_t len)
{
	struct seen *s = ctx;

	s->n++;
	if (s->wanted != NULL && len == s->len &&
	    memcmp(owner, s->wanted, len) == 0)
		s->found++;
}

static unsigned
count(void)
{
	struct seen s = { 0 };

	CHECK(r.each(r.arg, see, &s) == 0);
	return s.n;
}

static unsigned
found(const void *owner, size_t len)
{
	struct seen s = { .wanted = owner, .len = (uint32_t)len };

	CHECK(r.each(r.arg, see, &s) == 0);
	return s.found;
}

static void
write_clients(const void *text, size_t len)
{
	CHECK(state_write(&state, "clients", text, len) == 0);
	restart();
}

static void
test_a_new_directory_has_nobody(void)
{
	begin();
	CHECK(count() == 0);
	sync_all();
	CHECK(faccessat(state.dir, "clients", F_OK, 0) == -1);
	finish();
}

static void
test_who_was_added_may_reclaim_after_the_next_start(void)
{
	static const char odd[] = { 0, '\n', (char)0xff, 'a', 0 };

	begin();
	add("one");
	CHECK(r.add(r.arg, odd, sizeof odd) == 0);
	add("one");
	sync_all();
	CHECK(count() == 0);	/* of an earlier instance only */
	restart();
	CHECK(count() == 2);
	CHECK(found("one", 3) == 1 && found(odd, sizeof odd) == 1);
	CHECK(found("on", 2) == 0 && found("onf", 3) == 0);
	finish();
}

static void
test_what_was_not_synced_is_not_there(void)
{
	begin();
	add("one");
	restart();
	CHECK(count() == 0);
	finish();
}

static void
test_who_was_removed_may_not(void)
{
	begin();
	add("one");
	add("two");
	add("three");
	sync_all();
	take_out("two");
	take_out("unknown");
	sync_all();
	restart();
	CHECK(count() == 2 && found("two", 3) == 0);
	take_out("one");
	CHECK(count() == 1 && found("three", 5) == 1);
	take_out("three");
	sync_all();
	restart();
	CHECK(count() == 0);
	finish();
}

static void
test_the_end_of_grace_is_the_end_of_who_did_not_come(void)
{
	begin();
	add("back");
	add("gone");
	sync_all();
	restart();
	add("back");
	add("new");
	CHECK(count() == 1 && found("gone", 4) == 1);
	r.end(r.arg);
	CHECK(count() == 0);
	sync_all();
	restart();
	CHECK(count() == 2);
	CHECK(found("back", 4) == 1 && found("new", 3) == 1);
	finish();
}

/* The server dies in grace: the others may still come. */
static void
test_before_the_end_all_remain(void)
{
	begin();
	add("back");
	add("gone");
	sync_all();
	restart();
	add("back");
	add("new");
	sync_all();
	restart();
	CHECK(count() == 3);
	finish();
}

static void
test_damaged_lines_are_no_clients(void)
{
	static const char bad[] =
	    "6f6e65\nzz\n6g\n\n6F\n74776f \n74776f\n";
	static const char nul[] = "6f6e65\n" "\0" "74\n" "74776f\n";

	begin();
	write_clients(bad, sizeof bad - 1);
	CHECK(count() == 2);
	CHECK(found("one", 3) == 1 && found("two", 3) == 1);
	/* A NUL ends it: what follows is not believed. */
	write_clients(nul, sizeof nul - 1);
	CHECK(count() == 1 && found("one", 3) == 1);
	finish();
}

/* Grace waits for each client once. */
static void
test_a_line_that_is_there_twice_is_one_client(void)
{
	begin();
	write_clients("6f6e65\n74\n6f6e65\n", 17);
	CHECK(count() == 2 && found("one", 3) == 1);
	finish();
}

/* Half an owner is another owner. */
static void
test_a_line_that_is_cut_is_no_client(void)
{
	begin();
	write_clients("6f6e65\n74776f", 13);
	CHECK(count() == 1 && found("one", 3) == 1);
	write_clients("", 0);
	CHECK(count() == 0);
	finish();
}

static void
test_an_owner_has_up_to_1024_bytes(void)
{
	static char owner[1025], text[2 * sizeof owner + 1];

	begin();
	memset(owner, 'a', sizeof owner);
	CHECK(r.add(r.arg, owner, 1024) == 0);
	sync_all();
	restart();
	CHECK(count() == 1 && found(owner, 1024) == 1);
	for (size_t i = 0; i < sizeof owner; i++)
		memcpy(text + 2 * i, "61", 2);
	text[sizeof text - 1] = '\n';
	write_clients(text, sizeof text);
	CHECK(count() == 0);
	finish();
}

static void
test_a_file_that_is_none_has_nobody(void)
{
	begin();
	CHECK(mkdirat(state.dir, "clients", 0700) == 0);
	restart();
	CHECK(count() == 0);
	finish();
	begin();
	CHECK(symlinkat("key", state.dir, "clients") == 0);
	restart();
	CHECK(count() == 0);
	finish();
}

/* It is told, kept in mind, and written when it can be. */
static void
test_what_cannot_be_written_is_written_later(void)
{
	begin();
	CHECK(mkdirat(state.dir, "clients.new", 0700) == 0);
	add("one");
	CHECK(r.sync(r.arg) == EISDIR);
	CHECK(r.sync(r.arg) == EISDIR);
	CHECK(unlinkat(state.dir, "clients.new", AT_REMOVEDIR) == 0);
	sync_all();
	restart();
	CHECK(count() == 1 && found("one", 3) == 1);
	/* What was there stays whole as long. */
	CHECK(mkdirat(state.dir, "clients.new", 0700) == 0);
	add("two");
	CHECK(r.sync(r.arg) == EISDIR);
	restart();
	CHECK(count() == 1 && found("one", 3) == 1);
	finish();
}

static void
test_without_a_directory_nothing_is_kept_and_nothing_fails(void)
{
	state = (struct state){ .dir = -1, .lock = -1 };
	CHECK((clients = clients_new(&state, &r)) != NULL);
	add("one");
	sync_all();
	CHECK(count() == 0);
	stop();
}

static void
test_many_come_and_every_third_goes(void)
{
	enum { MANY = 3000 };
	char owner[32];
	unsigned i;

	begin();
	for (i = 0; i < MANY; i++) {
		snprintf(owner, sizeof owner, "client %u", i);
		add(owner);
	}
	sync_all();
	restart();
	CHECK(count() == MANY);
	for (i = 0; i < MANY; i += 3) {
		snprintf(owner, sizeof owner, "client %u", i);
		take_out(owner);
	}
	sync_all();
	restart();
	CHECK(count() == MANY - MANY / 3);
	CHECK(found("client 0", 8) == 0 && found("client 1", 8) == 1);
	CHECK(found("client 2999", 11) == 1);
	finish();
}

CHECK_MAIN(
	CHECK_TEST(test_a_new_directory_has_nobody),
	CHECK_TEST(test_who_was_added_may_reclaim_after_the_next_start),
	CHECK_TEST(test_what_was_not_synced_is_not_there),
	CHECK_TEST(test_who_was_removed_may_not),
	CHECK_TEST(test_the_end_of_grace_is_the_end_of_who_did_not_come),
	CHECK_TEST(test_before_the_end_all_remain),
	CHECK_TEST(test_damaged_lines_are_no_clients),
	CHECK_TEST(test_a_line_that_is_there_twice_is_one_client),
	CHECK_TEST(test_a_line_that_is_cut_is_no_client),
	CHECK_TEST(test_an_owner_has_up_to_1024_bytes),
	CHECK_TEST(test_a_file_that_is_none_has_nobody),
	CHECK_TEST(test_what_cannot_be_written_is_written_later),
	CHECK_TEST(test_without_a_directory_nothing_is_kept_and_nothing_fails),
	CHECK_TEST(test_many_come_and_every_third_goes),
)
