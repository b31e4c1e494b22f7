/* The state directory: server/state.c. */
#include "server/state.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

struct rig {
	char		path[32];
	struct state	s;
};

static void
begin(struct rig *r)
{
	strcpy(r->path, "/tmp/pinefs-state-XXXXXX");
	CHECK(mkdtemp(r->path) != NULL);
	state_open(&r->s, r->path, "test");
	CHECK(r->s.dir != -1);
}

static void
end(struct rig *r)
{
	unlinkat(r->s.dir, "exports", 0);
	unlinkat(r->s.dir, "key", 0);
	unlinkat(r->s.dir, "lock", 0);
	state_close(&r->s);
	CHECK(rmdir(r->path) == 0);
}

static uint32_t
id_of(struct rig *r, const char *name)
{
	return state_export_id(&r->s, name, NULL, 0);
}

static bool
is_name(struct rig *r, uint32_t id, const char *name)
{
	char *its = state_export_name(&r->s, id);
	bool is = its == NULL ? name == NULL : name != NULL &&
	    strcmp(its, name) == 0;

	free(its);
	return is;
}

static void
test_an_export_keeps_its_id(void)
{
	struct rig r;
	uint32_t a, b;

	begin(&r);
	a = id_of(&r, "/a");
	b = state_export_id(&r.s, "/b", &a, 1);
	CHECK(a != 0 && b != 0 && a != b);
	CHECK(id_of(&r, "/a") == a && id_of(&r, "/b") == b);
	CHECK(is_name(&r, a, "/a") && is_name(&r, b, "/b"));
	end(&r);
}

static void
test_no_two_exports_have_one_id_not_even_of_one_name(void)
{
	struct rig r;
	uint32_t old, new;

	begin(&r);
	old = id_of(&r, "/a");
	new = state_export_id(&r.s, "/a", &old, 1);
	CHECK(new != old);
	/* The last one is kept; who has the old one learns its name yet. */
	CHECK(id_of(&r, "/a") == new);
	CHECK(is_name(&r, old, "/a") && is_name(&r, new, "/a"));
	end(&r);
}

static void
test_a_newline_in_a_name_adds_no_line(void)
{
	struct rig r;
	uint32_t id;

	begin(&r);
	id = id_of(&r, "/a\n77 /b");
	CHECK(id != 0 && id_of(&r, "/a\n77 /b") == id);
	CHECK(is_name(&r, 77, NULL) && is_name(&r, id, NULL));
	CHECK(id_of(&r, "/b") != 77);
	end(&r);
}

static void
test_lines_that_are_none_are_skipped_and_kept(void)
{
	static const char text[] = "\nnonsense\n0 /zero\n99999999999 /a\n"
	    " 5 /a\n-6 /a\n7\n8 /a\n9 /cut";
	struct rig r;
	char *now;
	size_t len;

	begin(&r);
	CHECK(state_write(&r.s, "exports", text, strlen(text)) == 0);
	CHECK(id_of(&r, "/a") == 8 && is_name(&r, 8, "/a"));
	CHECK(id_of(&r, "/b") != 0);
	now = state_read(&r.s, "exports", 4096, &len);
	CHECK(now != NULL && strncmp(now, text, strlen(text)) == 0);
	CHECK(now[strlen(text)] == '\n' && is_name(&r, 9, "/cut"));
	free(now);
	end(&r);
}

static void
test_a_file_too_large_to_be_read_is_not_overwritten(void)
{
	struct rig r;
	struct stat st;
	int fd;

	begin(&r);
	fd = openat(r.s.dir, "exports", O_WRONLY | O_CREAT, 0600);
	CHECK(fd != -1 && ftruncate(fd, 128 << 20) == 0);
	close(fd);
	CHECK(id_of(&r, "/a") != 0);
	CHECK(fstatat(r.s.dir, "exports", &st, 0) == 0);
	CHECK(st.st_size == 128 << 20);
	end(&r);
}

CHECK_MAIN(
	CHECK_TEST(test_an_export_keeps_its_id),
	CHECK_TEST(test_no_two_exports_have_one_id_not_even_of_one_name),
	CHECK_TEST(test_a_newline_in_a_name_adds_no_line),
	CHECK_TEST(test_lines_that_are_none_are_skipped_and_kept),
	CHECK_TEST(test_a_file_too_large_to_be_read_is_not_overwritten),
)
