package api_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"keyturn/internal/apikey"
)

// document is what the tests need of the description.
type document struct {
	OpenAPI string `json:"openapi"`
	Info    struct{ Title, Version string }
	Servers []struct{ URL string }
	Paths   map[string]map[string]described

	Components struct {
		Schemas         map[string]json.RawMessage
		SecuritySchemes map[string]struct{ Type, Scheme string }
	}
}

// described is one operation.
type described struct {
	OperationID string `json:"operationId"`
	Summary     string
	Parameters  []struct {
		Name, In string
		Required bool
		Schema   map[string]any
	}
	RequestBody *struct{ Content map[string]content }
	Responses   map[string]struct {
		Description string
		Content     map[string]content
	}
	Security []map[string][]string
}

type content struct{ Schema, Example json.RawMessage }

func (w *world) document(t *testing.T) (d document) {
	t.Helper()
	out := httptest.NewRecorder()
	w.api.Describe().ServeHTTP(out, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/v1/openapi.json", nil))
	if err := json.Unmarshal(out.Body.Bytes(), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// schemas are those of the description, read by a validator of JSON Schema that knows
// nothing of how the description was made. The description is the same in every world.
var schemas struct {
	sync.Mutex

	compiler *jsonschema.Compiler
	known    map[string]*jsonschema.Schema
}

// schema is one of the description's, at a JSON pointer.
func (w *world) schema(at string) *jsonschema.Schema {
	w.t.Helper()
	schemas.Lock()
	defer schemas.Unlock()
	if schemas.compiler == nil {
		out := httptest.NewRecorder()
		w.api.Describe().ServeHTTP(out, httptest.NewRequestWithContext(w.t.Context(), http.MethodGet, "/api/v1/openapi.json", nil))
		whole, err := jsonschema.UnmarshalJSON(out.Body)
		if err != nil {
			w.t.Fatal(err)
		}
		schemas.compiler, schemas.known = jsonschema.NewCompiler(), map[string]*jsonschema.Schema{}
		schemas.compiler.DefaultDraft(jsonschema.Draft2020) // OpenAPI 3.1, section 4.8.24
		schemas.compiler.AssertFormat()
		if err := schemas.compiler.AddResource("https://keyturn.test/openapi.json", whole); err != nil {
			w.t.Fatal(err)
		}
	}
	if s := schemas.known[at]; s != nil {
		return s
	}
	s, err := schemas.compiler.Compile("https://keyturn.test/openapi.json#" + at)
	if err != nil {
		w.t.Fatalf("the schema at %s: %v", at, err)
	}
	schemas.known[at] = s
	return s
}

// valid holds a value against a schema of the description.
func (w *world) valid(at, value string) {
	w.t.Helper()
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(value))
	if err != nil {
		w.t.Errorf("%s is no JSON: %v", value, err)
		return
	}
	if err := w.schema(at).Validate(v); err != nil {
		w.t.Errorf("%s does not fit the description: %v", value, err)
	}
}

// pointer writes the steps to a part of the description as a JSON pointer (RFC 6901).
func pointer(steps ...string) (at string) {
	for _, s := range steps {
		at += "/" + url.PathEscape(strings.NewReplacer("~", "~0", "/", "~1").Replace(s))
	}
	return at
}

// fits holds an answer against what the description says of it: its status, and its body.
func (w *world) fits(method, path string, got answer) {
	w.t.Helper()
	for template, all := range w.paths {
		o, there := all[strings.ToLower(method)]
		if !there || !regexp.MustCompile("^"+wild.ReplaceAllString(template, "[^/]+")+"$").MatchString(path) {
			continue
		}
		status, kind := fmt.Sprint(got.status), got.header.Get("Content-Type")
		if _, there := o.Responses[status].Content[kind]; !there {
			w.t.Errorf("%s %s: %s as %s is not described", method, template, status, kind)
			return
		}
		w.valid(pointer("paths", template, strings.ToLower(method), "responses", status, "content", kind, "schema"), got.body)
		return
	}
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
					if p.Required != (p.In == "path") || p.Schema["examples"] == nil && p.Name != "cursor" {
						t.Errorf("%s: the parameter %+v", name, p)
					}
				}
				for _, found := range wild.FindAllStringSubmatch(path, -1) {
					if !slices.Contains(named, found[1]) {
						t.Errorf("%s: %s is no parameter", name, found[1])
					}
				}
				good := 0
				for _, status := range append(slices.Collect(maps.Keys(o.Responses)), "401", "403", "404", "429", "503", "500") {
					r, there := o.Responses[status]
					if !there || r.Description == "" {
						t.Errorf("%s says nothing of %s", name, status)
					}
					fine := strings.HasPrefix(status, "2")
					if _, problem := r.Content["application/problem+json"]; problem == fine {
						t.Errorf("%s: %s is %v", name, status, r.Content)
					}
					if fine {
						good++
						w.example(r.Content, name, "paths", path, method, "responses", status)
					}
				}
				if good != 1 {
					t.Errorf("%s: %d good answers", name, good)
				}
				if o.RequestBody != nil {
					w.example(o.RequestBody.Content, name, "paths", path, method, "requestBody")
				}
			}
		}
		if len(ids) != len(ops)+len(houseOps) {
			t.Errorf("%d operations are described, and %d tried", len(ids), len(ops)+len(houseOps))
		}
	})
}

// example holds the example of a whole body against its schema.
func (w *world) example(all map[string]content, name string, at ...string) {
	w.t.Helper()
	is, there := all["application/json"]
	if !there || len(is.Example) == 0 {
		w.t.Errorf("%s: %v has no example", name, at)
		return
	}
	w.valid(pointer(append(at, "content", "application/json", "schema")...), string(is.Example))
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
					w.valid(pointer("components", "schemas", name, "properties", field), string(example))
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
			"/api/", "/api/v1", "/api/v1/", "/api/v1/docs/", "/api/v1/openapi.yaml", "/api/v1/openapi-3.0.json", "/api/v1/schemas/Problem.json",
			"/api/v1/sites/", "/api/v1/clients", "/api/v2/openapi.json", "/api/v1/sites/S1/integrations/myob",
		} {
			got := w.call(http.MethodGet, path, token, "")
			if got.status != http.StatusNotFound {
				t.Errorf("%s is answered %d", path, got.status)
			}
			got.problem(t)
		}
		for path, allow := range map[string]string{
			"/api/v1/sites/S1/integrations/xero": "GET, HEAD, PUT", "/api/v1/sites/S1/integrations/xero/token": "POST",
			"/api/v1/sites/S1/readiness": "GET, HEAD", "/api/v1/openapi.json": "GET, HEAD", "/api/v1/docs": "GET, HEAD",
			"/api/v1/sites": "GET, HEAD", "/api/v1/sites/S1/users": "GET, HEAD, POST", "/api/v1/sites/S1/users/U2": "GET, HEAD, PATCH",
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
