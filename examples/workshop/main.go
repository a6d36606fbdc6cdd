// Workshop is a small product that stands behind Keyturn: customers, vehicles, job cards,
// invoices and payments of a few workshops, kept in memory. It shows what a product has to do
// and no more; keyturn.go, session.go and banner.go are there to be taken over.
//
//	WORKSHOP_SECRET=ktc_… workshop --issuer https://signin.example --client 0199… --url https://workshop.example
//
// See docs/integrate.md for how it is registered.
package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// These bound how long a caller may take.
const (
	headerTime = 5 * time.Second
	readTime   = 15 * time.Second
	writeTime  = 30 * time.Second
)

func main() {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, log, os.Args[1:])
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		log.Error("the workshop ended", "error", err.Error())
		os.Exit(1)
	}
}

func run(ctx context.Context, log *slog.Logger, args []string) error {
	flags := flag.NewFlagSet("workshop", flag.ContinueOnError)
	addr := flags.String("addr", "127.0.0.1:8090", "where to listen")
	self := flags.String("url", "", "the address that browsers know; by default http:// and that of --addr")
	issuer := flags.String("issuer", "http://localhost:8080", "Keyturn's public URL, byte for byte")
	client := flags.String("client", "", "the id of the client of kind web")
	secretFile := flags.String("secret-file", "", "a file with its secret; else WORKSHOP_SECRET")
	service := flags.String("service", "", "the id of a client of kind service with the scope readiness:read; empty: no banner")
	serviceFile := flags.String("service-secret-file", "", "a file with its secret; else WORKSHOP_SERVICE_SECRET")
	bannerKey := flags.String("banner-key", "", "what 'keyturn audit key' prints: who signs banners")
	if err := flags.Parse(args); err != nil {
		return err
	}
	secret, err := secretOf(*secretFile, "WORKSHOP_SECRET")
	if err != nil {
		return err
	}
	serviceSecret, err := secretOf(*serviceFile, "WORKSHOP_SERVICE_SECRET")
	if err != nil {
		return err
	}
	if *client == "" || secret == "" {
		return errors.New("a client and its secret are needed: see --help")
	}
	door := &Keyturn{
		Issuer: strings.TrimSuffix(*issuer, "/"), Client: *client, Secret: secret,
		Self: strings.TrimSuffix(cmp.Or(*self, "http://"+*addr), "/"), HTTP: &http.Client{Timeout: 10 * time.Second},
	}
	p := &Product{
		Log: log, Keyturn: door, Sessions: NewSessions(time.Now), Shops: &Shops{Now: time.Now},
		Banners: &Banners{Keyturn: door, Service: *service, Secret: serviceSecret, Key: *bannerKey, Now: time.Now},
	}
	return serve(ctx, log, *addr, p.Handler())
}

// secretOf reads a secret from a file, or else from the environment: never from the command
// line, which every user of a machine can read.
func secretOf(file, variable string) (string, error) {
	if file == "" {
		return os.Getenv(variable), nil
	}
	text, err := os.ReadFile(file) //nolint:gosec // the file that the operator named
	if err != nil {
		return "", fmt.Errorf("read a secret: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}

// serve serves until ctx ends.
func serve(ctx context.Context, log *slog.Logger, addr string, h http.Handler) error {
	server := &http.Server{
		Addr: addr, Handler: h, ReadHeaderTimeout: headerTime, ReadTimeout: readTime, WriteTimeout: writeTime,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	down := make(chan struct{})
	go func() {
		defer close(down)
		<-ctx.Done()
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), headerTime)
		defer cancel()
		_ = server.Shutdown(last) // what takes longer is cut off
	}()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	<-down
	return nil
}

// random is a text that nobody can guess: over 128 bits.
func random() string { return rand.Text() }
