/* SPDX-License-Identifier: MIT */
/*
 * What the compiler says about its input: where, what, and what to do.
 *
 *	notes.x:7:5: error: unknown type 'nte'
 *	    7 |     nte   *next;
 *	      |     ^~~ did you mean 'note' (line 4)?
 *
 * Messages are collected and shown in the order of the text they are about,
 * each once; after MAX_ERRORS errors the run ends.
 */
#ifndef RPCGEN_DIAG_H
#define RPCGEN_DIAG_H

#include <stdio.h>

#include "mem.h"

enum { MAX_ERRORS = 20 };

/* From this line of a text on, places are those of another file. */
struct line_marker {
	struct line_marker *before;
	uint32_t from;		/* the line behind the marker, from 1 */
	unsigned line;		/* what it is called */
	const char *name;	/* ... and its file */
};

/* A file's text, which ends with a NUL that is not counted. */
struct source {
	const char *name;	/* as messages show it */
	const char *text;
	size_t len;
	unsigned order;		/* files are reported in the order read */
	uint32_t *lines;	/* where each line begins */
	uint32_t nlines;
	struct line_marker **marker;	/* the last one; never NULL itself */
	bool followed;		/* --follow: only its names are wanted */
};

/*
 * Take `text`, which must be followed by a NUL and outlive the run.  Texts
 * of 1 GiB and more are refused with EFBIG.
 */
int	source_init(struct source *, struct mem *, const char *name,
	    const char *text, size_t len);

/* A piece of it.  `src` NULL: nowhere, as for a type that is built in. */
struct span {
	const struct source *src;
	uint32_t at, len;
};

struct diag_message;

struct diag {
	struct mem *mem;
	jmp_buf *give_up;	/* where to go after MAX_ERRORS, with 1 */
	struct diag_message *first, **last;
	struct diag_message *noted;	/* what a note would belong to */
	unsigned errors;
	bool stopped;		/* there are more than MAX_ERRORS */
};

void	diag_init(struct diag *, struct mem *, jmp_buf *give_up);

/*
 * Say something about `where`.  `hint`, which may be NULL, stands behind the
 * caret.  A note belongs to the message before it.
 */
void	diag_error(struct diag *, struct span where, const char *hint,
	    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void	diag_warning(struct diag *, struct span where, const char *hint,
	    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void	diag_note(struct diag *, struct span where, const char *hint,
	    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Print all of it. */
void	diag_show(struct diag *, FILE *);

/* The line a piece begins in, from 1, and its file, as markers have it. */
unsigned diag_line(struct span);
const char *diag_file(struct span);

/*
 * The line after `where` is line `line` of `name`, and so on.  Markers come
 * in the order of the text.
 */
void	source_mark(struct mem *, struct span where, unsigned line,
	    const char *name);

/* From the beginning of one piece to the end of another. */
struct span span_join(struct span from, struct span to);

#endif
