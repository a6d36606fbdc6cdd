// Command keyturn is the sign-in and two-factor service. "keyturn --help" lists what it
// can do.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	_ "time/tzdata" // a small machine may have no time zones of its own

	"github.com/alecthomas/kong"

	"keyturn/internal/fault"
)

// version is set by the build.
var version = "unversioned"

// Exit codes, as scripts rely on them.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// commands is the whole command line.
type commands struct {
	Config string            `help:"File with settings, KEYTURN_NAME=value a line." type:"path" placeholder:"FILE"`
	Set    map[string]string `help:"One setting, before environment and file. May be given several times." mapsep:"none" placeholder:"KEYTURN_NAME=VALUE"`

	Demo      demoCmd      `cmd:"" help:"Run the whole product with invented people, on this machine only."`
	Serve     serveCmd     `cmd:"" help:"Serve the product."`
	Init      initCmd      `cmd:"" help:"Write a commented configuration and fresh keys."`
	Migrate   migrateCmd   `cmd:"" help:"Bring the database's tables up to this release."`
	Import    importCmd    `cmd:"" help:"Bring in a vendor's sites and users from a CSV file."`
	Site      siteCmd      `cmd:"" help:"Add, list and connect sites."`
	Readiness readinessCmd `cmd:"" help:"Say who would get in if 2FA were enforced now, and what the others lack."`
	Rollout   rolloutCmd   `cmd:"" help:"Turn 2FA on for many sites, in waves: plan, start, pause, resume, roll back, status."`
	Staff     staffCmd     `cmd:"" help:"Add members of the vendor's staff."`
	SMS       smsCmd       `cmd:"" name:"sms" help:"Top up and prove SMS balances."`
	Apikey    apikeyCmd    `cmd:"" name:"apikey" help:"Make, list and end the keys of programs that call the API."`
	Client    clientCmd    `cmd:"" help:"Register, list and disable the applications that sign users in."`
	Keys      keysCmd      `cmd:"" help:"Rotate and list the keys that sign what applications are given."`
	Webhook   webhookCmd   `cmd:"" help:"Have programs outside told what happens: add, list, disable, enable, log, replay."`
	Audit     auditCmd     `cmd:"" help:"Export and verify the audit trail."`
	Evidence  evidenceCmd  `cmd:"" help:"Write the evidence pack for auditors, signed, and verify one."`
	Routes    routesCmd    `cmd:"" help:"List every route, whom it is for and in which states of a session."`
	Version   versionCmd   `cmd:"" help:"Say which release this is."`
}

// world is what a command may touch.
type world struct {
	ctx      context.Context //nolint:containedctx // a command's whole life is one context
	out, err io.Writer
	environ  []string
	terminal bool
	file     string
	set      map[string]string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is main without the process around it.
func run(ctx context.Context, args, environ []string, out, errOut io.Writer) int {
	var c commands
	exited, code := false, exitDone
	parser, err := kong.New(&c,
		kong.Name("keyturn"),
		kong.Description("The sign-in and two-factor service of a product whose customers connect it to Xero."),
		kong.Writers(out, errOut),
		kong.Exit(func(n int) { exited, code = true, n }),
		kong.UsageOnError(),
	)
	if err != nil {
		return say(errOut, err, exitFailed)
	}
	parsed, err := parser.Parse(args)
	if exited {
		return code
	}
	if err != nil {
		return say(errOut, err, exitUsage)
	}
	w := &world{ctx: ctx, out: out, err: errOut, environ: environ, terminal: isTerminal(errOut), file: c.Config, set: c.Set}
	switch err := parsed.Run(w); {
	case err == nil:
		return exitDone
	case errors.Is(err, errUsage):
		return say(errOut, err, exitUsage)
	default:
		return say(errOut, err, exitFailed)
	}
}

// errUsage marks what was asked wrongly.
var errUsage = errors.New("wrong usage")

func say(w io.Writer, err error, code int) int {
	_, _ = fmt.Fprintln(w, "keyturn:", sentence(err))
	return code
}

// sentence is an error as a person reads it: without the names of the kinds by which
// the program tells errors apart.
func sentence(err error) string {
	words := err.Error()
	for _, kind := range []error{errUsage, fault.Invalid, fault.Conflict, fault.NotFound} {
		if errors.Is(err, kind) && words != kind.Error() {
			words = strings.ReplaceAll(words, ": "+kind.Error(), "")
			words = strings.ReplaceAll(words, "\n"+kind.Error(), "")
			words = strings.TrimPrefix(words, kind.Error()+"\n")
		}
	}
	return words
}

// isTerminal says whether a person is watching.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

type versionCmd struct{}

// Run implements the command.
func (versionCmd) Run(w *world) error {
	_, err := fmt.Fprintln(w.out, "keyturn", version)
	return err
}
