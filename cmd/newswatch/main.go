// Command newswatch watches news feeds for reports on the policing of online
// child sexual exploitation, and sends digests of what its rules find.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	_ "time/tzdata" // a container without zone files must know Asia/Kolkata

	"github.com/spf13/cobra"
)

// version is set by the linker.
var version = "dev"

// The exit codes of DESIGN §9, on which scripts rely.
const (
	exitOK    = 0
	exitWrong = 1 // the input or the job is wrong
	exitUsage = 2
	exitLint  = 3
	// exitLater is EX_TEMPFAIL of sysexits.h: a mail server whose pipe ends so keeps
	// the message and tries again.
	exitLater = 75
	// exitPipe is what a shell tells of a program that died of SIGPIPE, which is what
	// the others of a pipe do when its reader has seen enough.
	exitPipe = 141
)

// collectAt is by how many percent the heap grows between two collections, where GOGC
// does not say. It is less than Go's 100, because a watcher is to be small: of 10,000
// feeds 62 MiB are resident so, and not 67, for one hundredth of a first pass.
const collectAt = 75

func main() { os.Exit(start()) }

// start runs the program with what the process was given.
func start() int {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(collectAt)
	}
	// Who reads standard output may have seen enough, and the journal that standard
	// error goes to may be started anew. Neither shall kill the process where it
	// stands, with a temporary folder to clear or a digest under way: the write
	// fails, and run sees to it.
	signal.Ignore(syscall.SIGPIPE)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// Who asks a second time does not want to wait.
	context.AfterFunc(ctx, stop)
	return run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
}

// run is the whole program, as a test can call it.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	out := &output{Writer: stdout, stop: cancel}
	stdin = &input{ctx: ctx, from: stdin}
	a := &app{stdin: stdin, stdout: out, stderr: stderr}
	root := a.command()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(out)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if failed := out.failed(); failed != nil {
		return unwritten(failed, err, stderr)
	}
	return ended(ctx, err, stderr)
}

// unwritten tells that standard output could not be written, and of a command's own
// error if that is another one. A reader that went away is no mistake.
func unwritten(failed, err error, stderr io.Writer) int {
	if errors.Is(failed, syscall.EPIPE) {
		return exitPipe
	}
	code := exitWrong
	if err != nil && !errors.Is(err, failed) && !errors.Is(err, context.Canceled) {
		code = ended(context.Background(), err, stderr)
	}
	fmt.Fprintln(stderr, "newswatch: standard output:", failed)
	return code
}

// ended tells of a command's error, and returns the exit code.
func ended(ctx context.Context, err error, stderr io.Writer) int {
	if err == nil {
		return exitOK
	}
	if ee, ok := errors.AsType[*exitError](err); ok {
		if ee.err != nil {
			fmt.Fprintln(stderr, "newswatch:", ee.err)
		}
		return ee.code
	}
	if usage, ok := errors.AsType[*usageError](err); ok {
		fmt.Fprintf(stderr, "newswatch: %v\nTry \"%s --help\".\n", usage.err, usage.command)
		return exitUsage
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = errors.New("interrupted")
	}
	fmt.Fprintln(stderr, "newswatch:", err)
	return exitWrong
}

// exitError ends the program with a code; err may be nil when what is wrong was
// printed already.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return fmt.Sprintf("exit %d: %v", e.code, e.err) }

// usageError is a command line that cannot be understood.
type usageError struct {
	command string
	err     error
}

func (e *usageError) Error() string { return e.err.Error() }

// oneArgument wants the argument that the command's line of use names; cobra's own
// complaint counts arguments and does not say what they are.
func oneArgument(cmd *cobra.Command, args []string) error {
	if len(args) == 1 {
		return nil
	}
	return &usageError{cmd.CommandPath(), fmt.Errorf("want: %s", strings.TrimSuffix(cmd.UseLine(), " [flags]"))}
}

// noArguments wants none. A word in the place of a subcommand is likely one that was
// mistyped.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if !cmd.HasSubCommands() {
		return &usageError{cmd.CommandPath(), fmt.Errorf("%s takes no argument, and was given %q", cmd.CommandPath(), args[0])}
	}
	return unknownCommand(cmd, args[0])
}

func unknownCommand(cmd *cobra.Command, name string) error {
	var names []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	return &usageError{cmd.CommandPath(), fmt.Errorf("unknown command %q for %q%s", name, cmd.CommandPath(), didYouMean(name, names))}
}

// asUsage turns cobra's complaints about arguments into usage errors.
func asUsage(args cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, given []string) error {
		if err := args(cmd, given); err != nil {
			return &usageError{cmd.CommandPath(), err}
		}
		return nil
	}
}
