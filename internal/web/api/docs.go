package api

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"keyturn/internal/apikey"
	"keyturn/internal/locale"
	"keyturn/internal/web"
)

// DocsPage is the description of the API for people, made of the document that programs
// read: neither says anything that the other does not.
type DocsPage struct {
	Document string
	// Header is how a call carries its key.
	Header string
	Parts  []DocsPart
	// Scopes are all there are.
	Scopes []DocsScope
}

// DocsScope is what a key may do, with the operations that it opens.
type DocsScope struct {
	Name string
	Ops  []DocsLink
}

// DocsLink leads to an operation.
type DocsLink struct{ ID, Words string }

// DocsPart is the operations about one thing.
type DocsPart struct {
	ID, Name string
	Ops      []DocsOp
}

// DocsOp is one operation.
type DocsOp struct {
	ID, Method, Path, Summary, Scope string
	Paras                            []string
	Params                           []DocsField
	Body, Answer                     DocsBody
	Status                           string
	Errors                           []DocsError
}

// DocsField is a parameter, or a field of a body.
type DocsField struct {
	Name, In, Type, Words string
	Needed                bool
}

// DocsBody is what is sent or answered.
type DocsBody struct {
	Fields  []DocsField
	Example string
}

// DocsError is a status that is not good.
type DocsError struct{ Status, Words string }

// Head implements web.Page.
func (DocsPage) Head() web.Head {
	return web.Head{Template: "api/docs", Title: locale.Say(locale.ApiTitle), Layout: web.Broad}
}

// docs makes the page of the document.
func (a *API) docs() DocsPage {
	d := a.huma.OpenAPI()
	p := DocsPage{Document: Document, Header: "Authorization: Bearer " + apikey.Prefix + "…"}
	for _, s := range apikey.Scopes() {
		p.Scopes = append(p.Scopes, DocsScope{Name: string(s)})
	}
	for _, one := range a.operations {
		op := d.Paths[one.path]
		found := operationOf(op, one.method)
		if found == nil {
			continue
		}
		p.put(found.Tags[0], docsOp(d, one, found))
		i := slices.IndexFunc(p.Scopes, func(s DocsScope) bool { return s.Name == string(one.scope) })
		p.Scopes[i].Ops = append(p.Scopes[i].Ops, DocsLink{found.OperationID, found.Summary})
	}
	return p
}

func (p *DocsPage) put(name string, op DocsOp) {
	i := slices.IndexFunc(p.Parts, func(part DocsPart) bool { return part.Name == name })
	if i < 0 {
		i = len(p.Parts)
		p.Parts = append(p.Parts, DocsPart{ID: "about-" + strings.ToLower(strings.ReplaceAll(name, " ", "-")), Name: name})
	}
	p.Parts[i].Ops = append(p.Parts[i].Ops, op)
}

func operationOf(item *huma.PathItem, method string) *huma.Operation {
	return map[string]*huma.Operation{
		http.MethodGet: item.Get, http.MethodPut: item.Put, http.MethodPost: item.Post, http.MethodPatch: item.Patch,
	}[method]
}

func docsOp(d *huma.OpenAPI, at registered, op *huma.Operation) DocsOp {
	o := DocsOp{ID: op.OperationID, Method: at.method, Path: at.path, Summary: op.Summary, Scope: string(at.scope)}
	for para := range strings.SplitSeq(op.Description, "\n\n") {
		if para != scopeWords(at.scope) {
			o.Paras = append(o.Paras, para)
		}
	}
	for _, p := range op.Parameters {
		words := p.Description
		if p.Schema != nil && words == "" {
			words = p.Schema.Description
		}
		o.Params = append(o.Params, DocsField{Name: p.Name, In: p.In, Type: typeOf(d, p.Schema), Words: words, Needed: p.Required})
	}
	if op.RequestBody != nil {
		o.Body = docsBody(d, op.RequestBody.Content)
	}
	for _, status := range slices.Sorted(maps.Keys(op.Responses)) {
		code, err := strconv.Atoi(status)
		switch {
		case err != nil:
		case code < http.StatusBadRequest:
			o.Status, o.Answer = status, docsBody(d, op.Responses[status].Content)
		default:
			o.Errors = append(o.Errors, DocsError{status, http.StatusText(code)})
		}
	}
	return o
}

func docsBody(d *huma.OpenAPI, content map[string]*huma.MediaType) (b DocsBody) {
	m := content["application/json"]
	if m == nil {
		return b
	}
	b.Fields = fieldsOf(d, m.Schema, "")
	var out bytes.Buffer
	raw, _ := json.Marshal(m.Example) // it was written into the document
	if json.Indent(&out, raw, "", "  ") == nil {
		b.Example = out.String()
	}
	return b
}

// fieldsOf are the fields of a schema, those of its parts with the part's name before them.
func fieldsOf(d *huma.OpenAPI, s *huma.Schema, within string) (all []DocsField) {
	s = resolved(d, s)
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		one := resolved(d, s.Properties[name])
		words := s.Properties[name].Description
		if words == "" {
			words = one.Description
		}
		all = append(all, DocsField{Name: within + name, Type: typeOf(d, one), Words: words, Needed: slices.Contains(s.Required, name)})
		switch {
		case len(one.Properties) > 0:
			all = append(all, fieldsOf(d, one, within+name+".")...)
		case one.Items != nil && len(resolved(d, one.Items).Properties) > 0:
			all = append(all, fieldsOf(d, one.Items, within+name+"[].")...)
		}
	}
	return all
}

func resolved(d *huma.OpenAPI, s *huma.Schema) *huma.Schema {
	if s.Ref != "" {
		return d.Components.Schemas.SchemaFromRef(s.Ref)
	}
	return s
}

// typeOf says what a value is: its type, its format, what it may be.
func typeOf(d *huma.OpenAPI, s *huma.Schema) string {
	if s == nil {
		return ""
	}
	s = resolved(d, s)
	words := s.Type
	if s.Items != nil {
		words += " of " + typeOf(d, s.Items)
	}
	if s.Format != "" && !strings.HasPrefix(s.Format, "int") && s.Format != "double" {
		words += ", " + s.Format
	}
	if len(s.Enum) > 0 {
		var may []string
		for _, v := range s.Enum {
			may = append(may, strings.Trim(string(must(json.Marshal(v))), `"`))
		}
		words += ": " + strings.Join(may, ", ")
	}
	return words
}

// must gives what cannot fail: plain values always can be written.
func must[T any](v T, _ error) T { return v }
