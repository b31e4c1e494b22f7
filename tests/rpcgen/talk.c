/*
 * --lang=tirpc: clients call servers, within one process.  Sun's compiler's
 * client or server may take the place of either: they fit.
 */
#include "talk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
require(int x, const char *what)
{
	if (x)
		return;
	puts(what);
	exit(1);
}

/* -------------------------------------------------------------- server -- */

void *
talk_null_1_svc(void *argp, struct svc_req *r)
{
	static char none;

	(void)argp, (void)r;
	return &none;
}

pair *
talk_swap_1_svc(pair *argp, struct svc_req *r)
{
	static char text[21];
	static pair res = { 0, text };
	size_t i, n = strlen(argp->s);

	(void)r;
	res.a = -argp->a;
	for (i = 0; i < n; i++)
		text[i] = argp->s[n - 1 - i];
	text[n] = '\0';
	return &res;
}

int *
talk_len_1_svc(char **argp, struct svc_req *r)
{
	static int res;

	(void)r;
	res = (int)strlen(*argp);
	return &res;
}

int *
talk_len_3_svc(char **argp, struct svc_req *r)
{
	int *res = talk_len_1_svc(argp, r);

	*res += 300;
	return res;
}

name *
talk_name_1_svc(u_quad_t *argp, struct svc_req *r)
{
	static char text[30];
	static name res = text;

	(void)r;
	snprintf(text, sizeof text, "%llu", (unsigned long long)*argp);
	return &res;
}

char **
talk_string_1_svc(bool_t *argp, struct svc_req *r)
{
	static char yes[] = "yes", no[] = "no", *res;

	(void)r;
	res = *argp ? yes : no;
	return &res;
}

char *
talk_key_1_svc(char *argp, struct svc_req *r)
{
	static key res;

	(void)r;
	memcpy(res, argp, sizeof res);
	res[0]++;
	return res;
}

answer *
talk_answer_1_svc(colour *argp, struct svc_req *r)
{
	static char text[] = "red";
	static answer res;

	(void)r;
	res.c = *argp;
	res.answer_u.p.a = 7;
	res.answer_u.p.s = text;
	return &res;
}

static int
count(const tree *t)
{
	return t == NULL ? 0 : 1 + count(t->left) + count(t->right);
}

int *
talk_tree_1_svc(tree *argp, struct svc_req *r)
{
	static int res;

	(void)r;
	res = count(argp);
	return &res;
}

int *
talk_front_1_svc(front *argp, struct svc_req *r)
{
	static int res;

	(void)r;
	for (res = 0; argp != NULL; argp = argp->next)
		res += argp->value;
	return &res;
}

/* -------------------------------------------------------------- client -- */

static void
small_calls(CLIENT *c)
{
	pair p = { 5, (char *)"stressed" }, *q;
	char *text = (char *)"seven..", **s;
	u_quad_t number = 12345678901234567ull;
	key k = "0123456", *kp;
	bool_t no = FALSE;
	name *n;
	int *i;

	require(talk_null_1(NULL, c) != NULL, "null");
	q = talk_swap_1(&p, c);
	require(q != NULL && q->a == -5 && strcmp(q->s, "desserts") == 0,
	    "swap");
	i = talk_len_1(&text, c);
	require(i != NULL && *i == 7, "len");
	n = talk_name_1(&number, c);
	require(n != NULL && strcmp(*n, "12345678901234567") == 0, "name");
	s = talk_string_1(&no, c);
	require(s != NULL && strcmp(*s, "no") == 0, "string");
	kp = (key *)talk_key_1(k, c);
	require(kp != NULL && memcmp(*kp, "1123456", 8) == 0, "key");
}

static void
unions(CLIENT *c)
{
	colour red = RED, green = GREEN;
	answer *a = talk_answer_1(&red, c);

	require(a != NULL && a->c == RED && a->answer_u.p.a == 7 &&
	    strcmp(a->answer_u.p.s, "red") == 0, "red");
	a = talk_answer_1(&green, c);
	require(a != NULL && a->c == GREEN, "green");
}

/* As deep as that; the server answers, or cannot decode it. */
static int *
send_tree(CLIENT *c, unsigned depth)
{
	tree *nodes = calloc(depth, sizeof *nodes);
	unsigned i;
	int *res;

	require(nodes != NULL, "memory");
	for (i = 0; i + 1 < depth; i++)
		nodes[i].left = &nodes[i + 1];
	res = talk_tree_1(nodes, c);
	free(nodes);
	return res;
}

static int *
send_front(CLIENT *c, unsigned n)
{
	front *nodes = calloc(n, sizeof *nodes);
	unsigned i;
	int *res;

	require(nodes != NULL, "memory");
	for (i = 0; i < n; i++) {
		nodes[i].value = 1;
		nodes[i].next = i + 1 < n ? &nodes[i + 1] : NULL;
	}
	res = talk_front_1(nodes, c);
	free(nodes);
	return res;
}

static void
recursion(CLIENT *c)
{
	int *res = send_tree(c, 64);

	require(res != NULL && *res == 64, "a tree of 64");
	res = send_front(c, 700);
	require(res != NULL && *res == 700, "a list of 700");
	require(send_tree(c, 65) == NULL, "a tree of 65");
}

/* Deeper than a record of the raw transport has room for. */
static void
depth_of_lists(void)
{
	static char wire[8 * 5000];
	front f;
	u_int i;
	XDR x;

	for (i = 0; i < sizeof wire; i += 4)
		wire[i + 3] = i / 4 < 5000;
	for (i = 4000; i <= 4200; i += 200) {
		memset(&f, 0, sizeof f);
		wire[4 * (i - 1) + 3] = 0;	/* the last of i nodes */
		xdrmem_create(&x, wire, sizeof wire, XDR_DECODE);
		require(xdr_front(&x, &f) == (i < 4096), "a list's depth");
		xdr_free((xdrproc_t)xdr_front, (char *)&f);
		wire[4 * (i - 1) + 3] = 1;
	}
}

int
main(void)
{
	SVCXPRT *server = svcraw_create();
	char *text = (char *)"four";
	CLIENT *c, *c3;
	int *i;

	require(server != NULL && svc_register(server, TALK_PROG, TALK_V1,
	    talk_prog_1, 0) && svc_register(server, TALK_PROG, TALK_V3,
	    talk_prog_3, 0), "registered");
	c = clntraw_create(TALK_PROG, TALK_V1);
	require(c != NULL, "a client");
	small_calls(c);
	unions(c);
	recursion(c);
	depth_of_lists();
	c3 = clntraw_create(TALK_PROG, TALK_V3);
	require(c3 != NULL, "a client of version 3");
	i = talk_len_3(&text, c3);
	require(i != NULL && *i == 304, "len of version 3");
	return 0;
}
