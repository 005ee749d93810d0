package rest

import "strings"

// nextLink finds the target of the first link with rel=next in the values of Link headers (RFC 8288, 3); "" for none.
func nextLink(values []string) string {
	for _, text := range values {
		for {
			text = strings.TrimLeft(text, " \t,")
			if !strings.HasPrefix(text, "<") {
				break
			}
			target, rest, closed := strings.Cut(text[1:], ">")
			if !closed {
				break
			}
			var relation string
			relation, text = linkRelation(rest)
			for name := range strings.FieldsSeq(relation) {
				if strings.EqualFold(name, "next") {
					return strings.TrimSpace(target)
				}
			}
		}
	}
	return ""
}

// linkRelation reads the parameters of a link and gives the first rel, and what follows behind the link's comma.
func linkRelation(text string) (relation, rest string) {
	found := false
	for {
		text = strings.TrimLeft(text, " \t")
		if text == "" || text[0] != ';' {
			return relation, text
		}
		text = strings.TrimLeft(text[1:], " \t")
		end := strings.IndexAny(text, "=;, \t")
		if end < 0 {
			return relation, ""
		}
		name := text[:end]
		text = strings.TrimLeft(text[end:], " \t")
		value := ""
		if strings.HasPrefix(text, "=") {
			value, text = linkValue(strings.TrimLeft(text[1:], " \t"))
		}
		if strings.EqualFold(name, "rel") && !found { // later ones are to be ignored
			relation, found = value, true
		}
	}
}

// linkValue reads a token or a quoted string.
func linkValue(text string) (value, rest string) {
	if !strings.HasPrefix(text, `"`) {
		end := strings.IndexAny(text, ";, \t")
		if end < 0 {
			end = len(text)
		}
		return text[:end], text[end:]
	}
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			return b.String(), text[i+1:]
		case c == '\\' && i+1 < len(text):
			i++
			b.WriteByte(text[i])
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), ""
}
