/*
 * pinefs: the program.  The files of this room:
 *
 *	main.c		which command it is (this one)
 *	commands.c	the table of them, their help and how they are parsed
 *	cmd_*.c		one command each:
 *	  serve		by exports.c, what -f says is to be served; rules.c,
 *			what -o says; exports_file.c, what --exports does,
			which exports_parse.c reads; py.c, the user's own
			python3
 *	  mount umount ls stop	by mount_*.c, which mount.h tells
 *	  help version completion
 *	  doctor	by checks.c, this machine
 *	  ping
 *	  stat top trace	by asking.c, a running server; show.c, as tables
 */
#include <string.h>

#include "pinefs/commands.h"
#include "server/cli.h"

/*
 * The first word, if it is a command's name, as it stands.  So a script of
 * that name is served as ./NAME, or behind an option or --.
 */
int
main(int argc, char **argv)
{
	const struct command *cmd;

	cli_standard_files();
	if (argc < 2)
		return commands[0]->main(argc, argv);
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		command_help_all();
		return 0;
	}
	if ((cmd = command_find(argv[1])) != NULL)
		return cmd->main(argc - 1, argv + 1);
	return commands[0]->main(argc, argv);
}
