// Command cluster runs a command beside a private PostgreSQL cluster, whose URL it
// hands over in KEYTURN_TEST_POSTGRES, and ends the cluster after it. One cluster for
// a whole test run is quicker than one for every package.
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
	env := os.Environ()
	switch c, err := dbtest.StartCluster(); {
	case errors.Is(err, dbtest.ErrNoServer):
		fmt.Fprintln(os.Stderr, "cluster:", err)
	case err != nil:
		fmt.Fprintln(os.Stderr, "cluster:", err)
		return 1
	default:
		defer func() { _ = c.Stop() }()
		env = append(env, "KEYTURN_TEST_POSTGRES="+c.URL)
	}
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = env, os.Stdin, os.Stdout, os.Stderr
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return max(1, exit.ExitCode())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "cluster:", err)
		return 1
	}
	return 0
}
