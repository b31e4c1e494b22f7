/* Connections of each remote address, counted exactly. */
#include "check.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <string.h>

#include "rpc/addrs.h"

static struct addrs *all;

static struct sockaddr_storage
v4(const char *text, uint16_t port)
{
	struct sockaddr_storage ss;
	struct sockaddr_in *sin = (struct sockaddr_in *)&ss;

	memset(&ss, 0, sizeof ss);
	sin->sin_family = AF_INET;
	sin->sin_port = htons(port);
	assert_int_equal(inet_pton(AF_INET, text, &sin->sin_addr), 1);
	return ss;
}

static struct sockaddr_storage
v6(const char *text)
{
	struct sockaddr_storage ss;
	struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)&ss;

	memset(&ss, 0, sizeof ss);
	sin6->sin6_family = AF_INET6;
	assert_int_equal(inet_pton(AF_INET6, text, &sin6->sin6_addr), 1);
	return ss;
}

static void
test_one_address_has_so_many_and_no_more(void)
{
	struct sockaddr_storage a, b = v4("192.0.2.2", 700);

	all = addrs_new();
	for (int i = 0; i < 3; i++) {
		a = v4("192.0.2.1", (uint16_t)(700 + i));
		CHECK(addrs_add(all, &a, 3));
	}
	CHECK(!addrs_add(all, &a, 3));
	CHECK(addrs_add(all, &b, 3));
	addrs_remove(all, &a);
	CHECK(addrs_add(all, &a, 3));
	CHECK(!addrs_add(all, &a, 3));
	addrs_free(all);
}

static void
test_an_address_is_one_in_both_forms(void)
{
	struct sockaddr_storage a = v4("192.0.2.1", 700);
	struct sockaddr_storage b = v6("::ffff:192.0.2.1");
	struct sockaddr_storage c = v6("2001:db8::1");

	all = addrs_new();
	CHECK(addrs_add(all, &a, 1));
	CHECK(!addrs_add(all, &b, 1));
	CHECK(addrs_add(all, &c, 1));
	addrs_free(all);
}

static void *
come_and_go(void *arg)
{
	struct sockaddr_storage a = v4("192.0.2.1", 700);

	for (int i = 0; i < 10000; i++)
		if (addrs_add(all, &a, 100))
			addrs_remove(all, &a);
	return arg;
}

static void
test_nothing_is_miscounted_by_several_threads(void)
{
	struct sockaddr_storage a = v4("192.0.2.1", 700);
	pthread_t thread[4];
	int i;

	all = addrs_new();
	for (i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, come_and_go,
		    NULL), 0);
	for (i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	for (i = 0; i < 100; i++)
		CHECK(addrs_add(all, &a, 100));
	CHECK(!addrs_add(all, &a, 100));
	addrs_free(all);
}

CHECK_MAIN(
	CHECK_TEST(test_one_address_has_so_many_and_no_more),
	CHECK_TEST(test_an_address_is_one_in_both_forms),
	CHECK_TEST(test_nothing_is_miscounted_by_several_threads),
)
