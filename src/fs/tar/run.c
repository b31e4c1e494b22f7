/* See run.h. */
#include "run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "blocks.h"

enum { INPUT = 2 * TAR_BLOCK_SIZE };

static void
end(struct tar_run *r, const char *why)
{
	r->ended = true;
	r->why = why;
}

uint64_t
tar_run_in(const struct tar_run *r)
{
	return r->fd_off - (r->have - r->at);
}

/* More input; false: there is none any more, or r->input_err. */
static bool
get_input(struct tar_run *r)
{
	ssize_t n;

	memmove(r->input, r->input + r->at, r->have - r->at);
	r->have -= r->at;
	r->at = 0;
	do
		n = pread(r->fd, r->input + r->have, INPUT - r->have,
		    (off_t)r->fd_off);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		r->input_err = errno;
	if (n <= 0)
		return false;
	r->fd_off += (uint64_t)n;
	r->have += (size_t)n;
	return true;
}

static void
seek(struct tar_run *r, uint64_t in)
{
	uint64_t from = r->fd_off - r->have;

	if (in >= from && in <= r->fd_off) {
		r->at = (size_t)(in - from);
		return;
	}
	r->at = r->have = 0;
	r->fd_off = in;
}

/* The unit that gives `out`, or NULL: the end. */
static const struct tar_unit *
unit_at(const struct tar_units *units, uint64_t out)
{
	uint64_t low = 0, high = units->n, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (units->unit[mid].out < out)
			low = mid + 1;
		else
			high = mid;
	}
	return low < units->n ? &units->unit[low] : NULL;
}

static void
next_unit(struct tar_run *r)
{
	const struct tar_unit *u = unit_at(r->units, r->out);
	void *decoder;

	if (u == NULL) {
		end(r, NULL);
		return;
	}
	if (u->out != r->out) {		/* the one before was shorter */
		end(r, "damaged");
		return;
	}
	seek(r, u->in);
	decoder = r->codec->resume(r->decoder, u, sizeof *u);
	if (decoder == NULL) {
		end(r, "no memory");
		return;
	}
	r->decoder = decoder;
	r->between = false;
	r->fresh = true;
}

/* Behind a stream: zeros, another one of the same codec, or the end. */
static void
next_stream(struct tar_run *r)
{
	do {
		while (r->at < r->have && r->input[r->at] == 0)
			r->at++;
	} while (r->at == r->have && get_input(r));
	while (r->have - r->at < TAR_SNIFF && get_input(r))
		;
	if (r->at == r->have || r->input_err != 0) {
		end(r, r->input_err != 0 ? strerror(r->input_err) : NULL);
		return;
	}
	if (!tar_codec_goes_on(r->codec, r->input + r->at, r->have - r->at)) {
		end(r, "what follows the last stream is something else");
		return;
	}
	r->decoder = r->codec->begin(r->decoder);
	if (r->decoder == NULL) {
		end(r, "no memory");
		return;
	}
	r->between = false;
	r->fresh = true;
}

static const char *
text_of(int err)
{
	switch (err) {
	case ENOMEM:
		return "no memory";
	case ENOTSUP:
		return "it takes more memory to decode than is allowed";
	}
	return "damaged";
}

/* Why there is no more input. */
static const char *
text_of_end(const struct tar_run *r)
{
	return r->input_err != 0 ? strerror(r->input_err) : "cut";
}

static void
decode(struct tar_run *r, uint8_t *to, size_t room, size_t *got)
{
	bool over = r->at == r->have && !get_input(r);
	struct tar_stretch s = { r->input + r->at, r->have - r->at, to, room };
	int err = r->codec->run(r->decoder, &s);
	bool stuck = s.in_len == r->have - r->at && s.out_len == room;

	r->at = r->have - s.in_len;
	*got = room - s.out_len;
	r->out += *got;
	r->fresh = r->fresh && stuck;
	if (err == ENODATA)
		r->between = true;
	else if (err != 0 || stuck)
		end(r, over ? text_of_end(r) : text_of(err));
}

void
tar_run_step(struct tar_run *r, uint8_t *to, size_t room, size_t *got)
{
	*got = 0;
	if (r->ended || room == 0)
		return;
	if (!r->between)
		decode(r, to, room, got);
	else if (r->units != NULL)
		next_unit(r);
	else
		next_stream(r);
}

int
tar_run_at(struct tar_run *r, uint64_t out, uint64_t in, const void *state,
    size_t len)
{
	void *decoder;

	r->out = out;
	r->between = true;
	r->fresh = r->ended = false;
	r->why = NULL;
	r->input_err = 0;
	seek(r, in);
	if (len == 0)
		return 0;
	/* What could not be resumed is gone. */
	decoder = r->decoder;
	r->decoder = NULL;
	if (decoder != NULL)
		r->codec->end(decoder);
	r->decoder = r->codec->resume(NULL, state, len);
	r->between = false;
	return r->decoder == NULL ? EBADMSG : 0;
}

int
tar_run_init(struct tar_run *r, int fd, const struct tar_codec *codec,
    const struct tar_units *units)
{
	*r = (struct tar_run){ .codec = codec, .units = units, .fd = fd,
	    .between = true };
	r->input = malloc(INPUT);
	return r->input == NULL ? ENOMEM : 0;
}

void
tar_run_rest(struct tar_run *r)
{
	if (r->decoder != NULL)
		r->codec->end(r->decoder);
	free(r->input);
	r->decoder = r->input = NULL;
}

void
tar_run_fini(struct tar_run *r)
{
	tar_run_rest(r);
}
