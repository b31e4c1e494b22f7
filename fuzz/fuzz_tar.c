/*
 * An archive of any bytes: scanner and index.  What comes out is within what
 * went in, and every object is found again by its id and by its name.
 */
#include <assert.h>

#include "fs/tar/index.h"

static void
check_member(const struct tar_member *m, size_t size)
{
	uint32_t i;

	assert(m->header + TAR_BLOCK <= size && m->data > m->header);
	assert(m->size <= INT64_MAX && m->mode <= 07777);
	assert(m->mtime.tv_nsec >= 0 && m->mtime.tv_nsec < 1000000000);
	if (!m->sparse)
		return;
	assert(tar_sparse_check(m->map, m->size, m->stored));
	for (i = 1; i < m->map->n; i++)
		assert(m->map->seg[i].off >= m->map->seg[i - 1].off +
		    m->map->seg[i - 1].len);
}

static void
check_record(const struct tar_index *ix, uint32_t i)
{
	const struct tar_rec *r = tar_index_rec(ix, i), *f;
	struct pinefs_name name = tar_index_name(ix, r);
	struct tar_xattr x;
	uint32_t n;

	assert(tar_index_by_id(ix, tar_index_id(ix, i)) == i);
	assert(r->parent < tar_index_count(ix));
	assert(tar_index_rec(ix, r->parent)->type == TAR_DIR);
	for (n = 0; tar_index_xattr(ix, r, n, &x); n++)
		assert(x.name.len > 0);
	if (i == TAR_ROOT || r->flags & TAR_REC_DEAD)
		return;
	assert(tar_index_find(ix, r->parent, name) == i);
	f = tar_index_rec(ix, tar_index_inode(ix, i));
	assert(f != NULL && f->type != TAR_HARD && f->nlink > 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tar_source *source = tar_source_memory(data, size);
	struct tar_scan *scan = tar_scan_new(source, size & 1, NULL, NULL);
	struct tar_index ix;
	struct tar_member m;
	enum tar_note why;
	uint32_t i;
	int err;

	assert(scan != NULL && tar_index_init(&ix) == 0);
	while ((err = tar_scan_next(scan, &m)) == 0) {
		check_member(&m, size);
		err = tar_index_add(&ix, &m, &why);
		assert(err == 0 || err == EBADMSG);
	}
	assert(err == ENOENT || err == ENOEXEC);
	assert(tar_index_finish(&ix, NULL, NULL) == 0);
	for (i = 0; i < tar_index_count(&ix); i++)
		check_record(&ix, i);
	tar_index_fini(&ix);
	tar_scan_free(scan);
	tar_source_free(source);
	return 0;
}
