/* SPDX-License-Identifier: MIT */
/* A file's text, cut into tokens. */
#ifndef RPCGEN_LEX_H
#define RPCGEN_LEX_H

#include "diag.h"

enum token_kind {
	TOK_END,
	TOK_NAME,		/* and keywords; `a::b` is one name */
	TOK_NUMBER,
	TOK_TEXT,		/* "..." */
	TOK_PASS,		/* a line that begins with % */
	TOK_DIRECTIVE,		/* a line that begins with # */
	TOK_PUNCT,
	TOK_BAD			/* cannot be cut: `text` says why */
};

enum keyword {
	KW_NONE,		/* any other name */
	KW_BOOL, KW_CASE, KW_CHAR, KW_CONST, KW_DEFAULT, KW_DOUBLE, KW_ENUM,
	KW_FLOAT, KW_HYPER, KW_INT, KW_LONG, KW_NAMESPACE, KW_OPAQUE,
	KW_PRAGMA, KW_PROGRAM, KW_QUADRUPLE, KW_SHORT, KW_STRING, KW_STRUCT,
	KW_SWITCH, KW_TYPEDEF, KW_UNION, KW_UNSIGNED, KW_VERSION, KW_VOID
};

/* A number of up to 64 bits, or one of minus 2^63 and more. */
struct number {
	uint64_t bits;		/* two's complement where negative */
	bool negative;
	uint8_t base;		/* as written: 8, 10 or 16 */
};

struct token {
	enum token_kind kind;
	enum keyword keyword;
	enum token_kind instead;	/* BAD: what it stands for */
	bool only_here;		/* PASS: for one kind of output */
	char punct;
	struct span where;
	const char *text;	/* of names, texts, % and # lines */
	struct number number;
	const char *hint;	/* BAD: what else to say, or NULL */
	const char *doc;	/* the comment that stands before it */
	const char *after;	/* ... that follows on the same line */
};

/*
 * Cut all of it; the last token is TOK_END.  What cannot be cut is TOK_BAD,
 * and no error unless somebody wants it: it may be left out by an #if.
 */
struct token	*lex(struct mem *, const struct source *);

/* Cut the condition of an #if, where more characters are punctuation. */
struct token	*lex_condition(struct mem *, const char *text);

/* How a message shows a token: 'name', number 7, end of file. */
const char	*token_text(struct mem *, const struct token *);

/* Is `name` a word of the language, which nothing else may be called? */
bool	is_keyword(const char *name);

#endif
