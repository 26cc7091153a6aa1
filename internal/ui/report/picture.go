package report

import "unicode/utf8"

// Measures of the picture, in its own units.
const (
	pictureLeft  = 300.0
	pictureWidth = 780.0
	pictureTotal = 1180.0
	rowHeight    = 24.0
	labelRunes   = 38
)

// picture is the report as timelines one below the other.
type picture struct {
	Title, Summary string
	Width, Height  float64
	Parts          []part
}

// part is one operation. Y are distances from the top of the picture.
type part struct {
	section
	Y, Top, Bottom float64
	Lines          []pictureLine
}

// pictureLine is a heading, or a lane.
type pictureLine struct {
	Y       float64
	Heading string
	Row     *row
	Label   string
}

func (r *Report) picture() picture {
	p := picture{Title: r.heading(), Summary: r.Status, Width: pictureTotal}
	y := 64.0
	for _, s := range r.sections() {
		one := part{section: s, Y: y, Top: y + 34}
		y += 54
		for _, g := range s.Groups {
			one.Lines = append(one.Lines, pictureLine{Y: y, Heading: g.Title})
			y += rowHeight
			for i := range g.Rows {
				one.Lines = append(one.Lines, pictureLine{Y: y, Row: &g.Rows[i], Label: clipped(g.Rows[i].Name)})
				y += rowHeight
			}
		}
		one.Bottom = y
		y += 34
		p.Parts = append(p.Parts, one)
	}
	p.Height = y
	return p
}

func clipped(text string) string {
	if utf8.RuneCountInString(text) <= labelRunes {
		return text
	}
	return string([]rune(text)[:labelRunes-1]) + "…"
}
