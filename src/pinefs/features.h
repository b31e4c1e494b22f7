/* What Meson found when this was built. */
#ifndef PINEFS_FEATURES_H
#define PINEFS_FEATURES_H

#include <stdbool.h>

struct feature {
	const char	*name;		/* of the Meson feature */
	bool		 built;
	const char	*what;		/* it is for, and the library */
};

/* In the order of meson_options.txt; ends with a row without name. */
const struct feature *features(void);

#endif
