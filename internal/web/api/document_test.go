package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"keyturn/internal/apikey"
)

// document is what the tests need of the description.
type document struct {
	OpenAPI string `json:"openapi"`
	Info    struct{ Title, Version string }
	Servers []struct{ URL string }
	Paths   map[string]map[string]struct {
		OperationID string `json:"operationId"`
		Summary     string
		Parameters  []struct {
			Name, In string
			Required bool
			Schema   map[string]any
		}
		RequestBody *struct {
			Content map[string]struct{ Schema json.RawMessage }
		}
		Responses map[string]struct {
			Description string
			Content     map[string]struct{ Schema json.RawMessage }
		}
		Security []map[string][]string
	}
	Components struct {
		Schemas         map[string]json.RawMessage
		SecuritySchemes map[string]struct{ Type, Scheme string }
	}
}

func (w *world) document(t *testing.T) (d document) {
	t.Helper()
	out := httptest.NewRecorder()
	w.api.Describe().ServeHTTP(out, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/v1/openapi.json", nil))
	if err := json.Unmarshal(out.Body.Bytes(), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// fits holds a value against a schema of the description.
func (d document) fits(t *testing.T, schema json.RawMessage, value string) {
	t.Helper()
	registry := huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)
	for name, raw := range d.Components.Schemas {
		registry.Map()[name] = schemaOf(t, raw)
	}
	var v any
	if err := json.Unmarshal([]byte(value), &v); err != nil {
		t.Fatalf("%s: %v", value, err)
	}
	found := &huma.ValidateResult{}
	huma.Validate(registry, schemaOf(t, schema), huma.NewPathBuffer(nil, 0), huma.ModeReadFromServer, v, found)
	for _, err := range found.Errors {
		t.Errorf("%s does not fit the description: %v", value, err)
	}
}

// schemaOf reads a schema back, as far as the description uses the language.
func schemaOf(t *testing.T, raw json.RawMessage) *huma.Schema {
	t.Helper()
	var in struct {
		Ref                  string `json:"$ref"`
		Type                 json.RawMessage
		Format               string
		Enum                 []any
		Required             []string
		Minimum, Maximum     *float64
		MaxLength            *int
		Items                json.RawMessage
		Properties           map[string]json.RawMessage
		AdditionalProperties *bool
	}
	if err := json.Unmarshal(raw, &in); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	s := &huma.Schema{Ref: in.Ref, Format: in.Format, Enum: in.Enum, Required: in.Required, Minimum: in.Minimum, Maximum: in.Maximum, MaxLength: in.MaxLength}
	if in.Ref != "" {
		return s
	}
	if err := json.Unmarshal(in.Type, &s.Type); err != nil {
		t.Fatalf("a type that the test does not read: %s", raw)
	}
	if in.AdditionalProperties != nil {
		s.AdditionalProperties = *in.AdditionalProperties
	}
	if len(in.Items) > 0 {
		s.Items = schemaOf(t, in.Items)
	}
	for name, one := range in.Properties {
		if s.Properties == nil {
			s.Properties = map[string]*huma.Schema{}
		}
		s.Properties[name] = schemaOf(t, one)
	}
	s.PrecomputeMessages()
	return s
}

var (
	wild = regexp.MustCompile(`\{([a-z_]+)\}`)
	refs = regexp.MustCompile(`"\$ref":\s*"([^"]+)"`)
)

func TestTheDescriptionIsWholeAndPointsNowhereElse(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		raw := w.call(http.MethodGet, "/api/v1/openapi.json", "", "", "Host", "evil.test")
		if raw.status != http.StatusOK || strings.Contains(raw.body, "evil.test") || strings.Contains(raw.body, "unpkg") || strings.Contains(raw.body, "$schema") {
			t.Fatalf("%d %.300s", raw.status, raw.body)
		}
		d := w.document(t)
		if d.OpenAPI != "3.1.0" || d.Info.Title == "" || d.Info.Version == "" || len(d.Servers) != 1 || d.Servers[0].URL != "https://signin.example" {
			t.Errorf("%+v %+v", d.Info, d.Servers)
		}
		if key := d.Components.SecuritySchemes["key"]; key.Type != "http" || key.Scheme != "bearer" {
			t.Errorf("%+v", d.Components.SecuritySchemes)
		}
		for _, ref := range refs.FindAllStringSubmatch(raw.body, -1) {
			name, ours := strings.CutPrefix(ref[1], "#/components/schemas/")
			if _, there := d.Components.Schemas[name]; !ours || !there {
				t.Errorf("%s points nowhere", ref[1])
			}
		}
		ids := map[string]bool{}
		for path, all := range d.Paths {
			for method, o := range all {
				name := method + " " + path
				if o.OperationID == "" || ids[o.OperationID] || o.Summary == "" || len(o.Security) != 1 {
					t.Errorf("%s: %q, %q, %v", name, o.OperationID, o.Summary, o.Security)
				}
				ids[o.OperationID] = true
				var named []string
				for _, p := range o.Parameters {
					named = append(named, p.Name)
					if p.In != "path" || !p.Required || p.Schema["examples"] == nil {
						t.Errorf("%s: the parameter %+v", name, p)
					}
				}
				for _, found := range wild.FindAllStringSubmatch(path, -1) {
					if !slices.Contains(named, found[1]) {
						t.Errorf("%s: %s is no parameter", name, found[1])
					}
				}
				for _, status := range []string{"200", "401", "403", "404", "429", "503", "500"} {
					r, there := o.Responses[status]
					if !there || r.Description == "" {
						t.Errorf("%s says nothing of %s", name, status)
					}
					if _, problem := r.Content["application/problem+json"]; problem == (status == "200") {
						t.Errorf("%s: %s is %v", name, status, r.Content)
					}
				}
			}
		}
		if len(ids) != 5 {
			t.Errorf("%d operations", len(ids))
		}
	})
}

func TestEveryFieldHasAnExampleThatFitsIt(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		d := w.document(t)
		for name, raw := range d.Components.Schemas {
			var s struct {
				Properties map[string]json.RawMessage
			}
			if err := json.Unmarshal(raw, &s); err != nil {
				t.Fatal(err)
			}
			for field, one := range s.Properties {
				var p struct {
					Ref      string `json:"$ref"`
					Items    json.RawMessage
					Examples []json.RawMessage
				}
				if err := json.Unmarshal(one, &p); err != nil {
					t.Fatal(err)
				}
				if len(p.Examples) == 0 && len(p.Items) == 0 && p.Ref == "" {
					t.Errorf("%s.%s has no example", name, field)
				}
				for _, example := range p.Examples {
					d.fits(t, one, string(example))
				}
			}
		}
	})
}

// The pages and lists that come with the library are not there.
func TestNothingIsServedThatIsNotDescribed(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		token := w.key("all", apikey.Scopes(), w.site)
		for _, path := range []string{
			"/api/", "/api/v1", "/api/v1/", "/api/v1/docs", "/api/v1/openapi.yaml", "/api/v1/openapi-3.0.json", "/api/v1/schemas/Problem.json",
			"/api/v1/sites", "/api/v1/sites/S1", "/api/v2/openapi.json", "/api/v1/sites/S1/integrations/myob",
		} {
			got := w.call(http.MethodGet, path, token, "")
			if got.status != http.StatusNotFound {
				t.Errorf("%s is answered %d", path, got.status)
			}
			got.problem(t)
		}
		for path, allow := range map[string]string{
			"/api/v1/sites/S1/integrations/xero": "GET, HEAD, PUT", "/api/v1/sites/S1/integrations/xero/token": "POST",
			"/api/v1/sites/S1/readiness": "GET, HEAD", "/api/v1/openapi.json": "GET, HEAD",
		} {
			got := w.call(http.MethodDelete, path, token, "")
			if got.status != http.StatusMethodNotAllowed || got.header.Get("Allow") != allow {
				t.Errorf("DELETE %s: %d, %q", path, got.status, got.header.Get("Allow"))
			}
			got.problem(t)
		}
		if t.Failed() {
			t.Log(fmt.Sprint(w.document(t).Paths))
		}
	})
}
