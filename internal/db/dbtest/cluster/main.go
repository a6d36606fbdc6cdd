// Command cluster runs a command beside a private PostgreSQL cluster, whose URL it
// hands over in KEYTURN_TEST_POSTGRES, and ends the cluster after it. One cluster for
// a whole test run is quicker than one for every package. It also migrates the databases
// that the tests copy, once for all, and has the command's temporary files in memory where
// there is room; what go test builds stays where it was.
//
//	go run ./internal/db/dbtest/cluster -- go test ./...
//
// Where PostgreSQL is not installed it runs the command without it.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"keyturn/internal/db/dbtest"
)

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 {
		fmt.Fprintln(os.Stderr, "usage: cluster -- COMMAND [ARGUMENTS]")
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	env, end, err := prepare()
	defer end()
	if err != nil {
		fmt.Fprintln(os.Stderr, "cluster:", err)
		return 1
	}
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = env, os.Stdin, os.Stdout, os.Stderr
	err = cmd.Run()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return max(1, exit.ExitCode())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "cluster:", err)
		return 1
	}
	return 0
}

// prepare makes what the command finds by its environment; end takes it away again, also
// after an error.
func prepare() (env []string, end func(), err error) {
	env, end = os.Environ(), func() {}
	built := os.TempDir()
	folder, err := dbtest.Folder()
	if err != nil {
		return env, end, err
	}
	end = func() { _ = os.RemoveAll(folder) }
	if os.Getenv("GOTMPDIR") == "" {
		env = append(env, "GOTMPDIR="+built)
	}
	if err := os.Setenv("TMPDIR", folder); err != nil {
		return env, end, err
	}
	env = append(env, "TMPDIR="+folder)
	c, err := dbtest.StartCluster()
	switch {
	case errors.Is(err, dbtest.ErrNoServer):
		fmt.Fprintln(os.Stderr, "cluster:", err)
	case err != nil:
		return env, end, err
	default:
		end = func() { _ = c.Stop(); _ = os.RemoveAll(folder) }
	}
	more, err := dbtest.Prepare(folder, c)
	return append(env, more...), end, err
}
