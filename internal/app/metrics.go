package app

import (
	"log/slog"
	"net/http"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"keyturn/internal/password"
)

// metrics are the product's own numbers. No label holds a name, an address or an id.
type metrics struct {
	registry *prometheus.Registry
	steps    *prometheus.CounterVec
	searches *prometheus.CounterVec
}

func newMetrics(slots *password.Slots) metrics {
	m := metrics{
		registry: prometheus.NewRegistry(),
		steps: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "keyturn_signin_answers_total",
			Help: "Answers of the sign-in's steps, by what came next and what was wrong; unknown names are told apart here alone.",
		}, []string{"step", "wrong"}),
	}
	m.searches = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "keyturn_help_searches_total", Help: "Searches of the guides, by whether they found anything.",
	}, []string{"found"})
	m.registry.MustRegister(
		m.searches,
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		m.steps,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "keyturn_hash_slots_running", Help: "Passwords that are being hashed now.",
		}, func() float64 { running, _ := slots.Load(); return float64(running) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "keyturn_hash_slots_waiting", Help: "Sign-ins that wait for a hash slot now.",
		}, func() float64 { _, waiting := slots.Load(); return float64(waiting) }),
	)
	return m
}

// count notes one answer of a step.
func (m metrics) count(step, wrong string) { m.steps.WithLabelValues(step, wrong).Inc() }

// Metrics serves the numbers for Prometheus; it belongs on an address of its own.
func (a *App) Metrics() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(a.metrics.registry, promhttp.HandlerOpts{}))
	return mux
}

// searched notes one search of the guides. The words that found nothing say which guide is
// missing; they go to the log, without who asked.
func (m metrics) searched(log *slog.Logger) func(bool, string) {
	return func(found bool, words string) {
		m.searches.WithLabelValues(strconv.FormatBool(found)).Inc()
		if words != "" {
			log.Info("the guides have nothing", "words", words)
		}
	}
}
