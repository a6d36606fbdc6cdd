package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"keyturn/internal/app"
	"keyturn/internal/fault"
)

const (
	// headerTime, readTime and idleTime bound how long a client may take; writeTime must
	// be above the longest answer, which waits for a hash slot and the fixed time.
	headerTime = 5 * time.Second
	readTime   = 15 * time.Second
	writeTime  = 60 * time.Second
	idleTime   = 2 * time.Minute
	// shutTime is how long requests that are under way may still take at the end.
	shutTime = 10 * time.Second
	// headerBytes bounds a request's header.
	headerBytes = 32 << 10
)

// serveHTTP serves until ctx ends, then lets what is under way finish. ready is called
// when connections are taken.
func serveHTTP(ctx context.Context, log *slog.Logger, listener net.Listener, a *app.App, h http.Handler, ready func()) error {
	server := &http.Server{
		Handler: h, ReadHeaderTimeout: headerTime, ReadTimeout: readTime, WriteTimeout: writeTime,
		IdleTimeout: idleTime, MaxHeaderBytes: headerBytes, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	served := make(chan error, 1)
	down := make(chan struct{})
	err := a.Run(ctx, func() {
		go func() {
			err := server.Serve(listener)
			cancel(err)
			served <- err
		}()
		go func() {
			defer close(down)
			<-ctx.Done()
			last, stop := context.WithTimeout(context.WithoutCancel(ctx), shutTime)
			defer stop()
			_ = server.Shutdown(last)
		}()
		ready()
	})
	if err != nil {
		return errors.Join(err, server.Close(), listener.Close())
	}
	<-down
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}

// serveMetrics serves the numbers on an address of their own, if there is one.
func serveMetrics(ctx context.Context, log *slog.Logger, addr string, h http.Handler) (stop func(), err error) {
	if addr == "" {
		return func() {}, nil
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen for metrics: %w", err)
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: headerTime, ReadTimeout: readTime, WriteTimeout: readTime}
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			log.ErrorContext(ctx, "metrics are not served any more", "error", err.Error())
		}
	}()
	return func() { _ = server.Close() }, nil
}

// loopbackOnly refuses an address that others could reach.
func loopbackOnly(addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err == nil && (host == "localhost" || net.ParseIP(host).IsLoopback()) {
		return nil
	}
	return fmt.Errorf("the demo serves this machine only: use --addr 127.0.0.1:8080: %w", errors.Join(errUsage, fault.Invalid))
}
