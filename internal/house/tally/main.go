// Command tally runs go test with the flags and packages it is given and says how it
// went: go's own line for each package, everything that a failed test said, why tests
// were skipped, and a last line with the count.
//
//	go run ./internal/house/tally ./...
//
// It exits with 1 when anything failed, and also when no test ran: a suite that ran
// nothing has shown nothing.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
)

func main() { os.Exit(run(".", os.Args[1:], os.Stdout, os.Stderr)) }

func run(dir string, args []string, out, complaints io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	suite := exec.CommandContext(ctx, "go", append([]string{"test", "-json"}, args...)...) //nolint:gosec // it is a wrapper of go test: its arguments are the point
	// The children of go test are told too, and get the time to clear up.
	suite.Cancel = func() error { return suite.Process.Signal(os.Interrupt) }
	suite.Dir = dir
	suite.Stderr = complaints
	stream, err := suite.StdoutPipe()
	if err == nil {
		err = suite.Start()
	}
	if err != nil {
		_, _ = fmt.Fprintln(complaints, "tally: starting go test:", err)
		return 1
	}
	count, unread := Read(stream, out)
	ended := suite.Wait()
	why := verdict(count, unread, ended)
	if why != "" {
		_, _ = fmt.Fprintln(complaints, "tally:", why)
	}
	_, _ = fmt.Fprintln(out, count)
	if why != "" || count.Failed > 0 {
		return 1
	}
	return 0
}

// verdict says what is wrong with a run beyond the failures that were counted, or nothing.
func verdict(count Count, unread, ended error) string {
	switch {
	case unread != nil:
		return "reading what go test says: " + unread.Error()
	case ended != nil && count.Failed == 0:
		return "go test: " + ended.Error()
	case count.Passed+count.Failed == 0:
		return "no test ran to its end, so nothing was shown"
	}
	return ""
}
