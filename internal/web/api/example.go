package api

import (
	"encoding/json"

	"github.com/danielgtaylor/huma/v2"
)

// exemplify gives every body of the description an example of the whole, made of those of
// its fields: a problem has the status of the answer that it stands for.
func exemplify(d *huma.OpenAPI) {
	for _, item := range d.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Put, item.Post, item.Patch, item.Delete} {
			if op == nil {
				continue
			}
			if op.RequestBody != nil {
				whole(d, op.RequestBody.Content)
			}
			for _, r := range op.Responses {
				whole(d, r.Content)
			}
		}
	}
}

func whole(d *huma.OpenAPI, content map[string]*huma.MediaType) {
	for kind, m := range content {
		if m.Schema != nil && m.Example == nil && kind == "application/json" {
			m.Example = exampleOf(d, m.Schema)
		}
	}
}

// exampleOf is an example of a schema: its own, or one made of its parts.
func exampleOf(d *huma.OpenAPI, s *huma.Schema) any {
	switch {
	case s.Ref != "":
		return exampleOf(d, d.Components.Schemas.SchemaFromRef(s.Ref))
	case len(s.Examples) > 0:
		return s.Examples[0]
	case len(s.Properties) > 0:
		all := map[string]any{}
		for name, one := range s.Properties {
			all[name] = exampleOf(d, one)
		}
		return all
	case s.Items != nil:
		return []any{exampleOf(d, s.Items)}
	}
	return json.RawMessage("null")
}
