package guard

import "strings"

// aged finds a name and the age of a child: "Anjali (14)", "Anjali, 14,".
func aged(p prose, i int, _ bool) int {
	to := p.name(i)
	if to == i || i > 0 && p.name(i-1) > i {
		return i
	}
	n := p.at(to)
	if n.number < 1 || n.number > 17 || len(n.folded) > 2 {
		return i
	}
	after := p.text[n.end:]
	switch strings.TrimSpace(n.gap) {
	case "(":
		if strings.HasPrefix(after, ")") {
			return to + 1
		}
	case ",": // and not 5,210 or 6.2
		if next := strings.TrimLeft(after, ",.;"); after == "" || next != after && strings.TrimLeft(next, " \n") != next || next == "" {
			return to + 1
		}
	}
	return i
}

// named finds the word for a child, or a child's age, and a name after it: "the girl
// Anjali", "14-year-old Anjali Nair", "the survivor, identified as Anjali".
func named(p prose, i int, about bool) int {
	end := p.ageAt(i)
	if end == i {
		if !p.child(i) && (!about || !victims[p.at(i).folded]) {
			return i
		}
		end = i + 1
	}
	verb := end
	for verb < end+3 && auxiliaries[p.at(verb).folded] {
		verb++
	}
	if v := p.at(verb).folded; v == "named" || v == "called" || v == "identified" || v == "namely" || v == "name" {
		for verb++; verb < len(p.tokens) && auxiliaries[p.at(verb).folded]; verb++ {
		}
		if to := p.name(verb); to > verb && p.gapIs(verb, " :\"“‘'") {
			return to
		}
	}
	to := p.name(end)
	if p.titled || to == end || children[p.at(to).folded] {
		return i
	}
	if t := p.at(end - 1).folded; plurals[t] || t != "old" && end > i+1 {
		return i // "Class 10 Result"
	}
	if len(p.at(i).gap) > 0 && strings.HasSuffix(p.at(i).gap, "-") && tens[p.at(i-1).folded] {
		return i // twenty-seven-year-old
	}
	// "After abusing the girl, Rajesh fled" names no child: behind a comma the name
	// must stand alone.
	if p.gapIs(end, " ") || p.gapIs(end, " ,(") && p.closed(to) {
		return to
	}
	return i
}

// namedBefore finds a name that is said to be a child's: "Anjali, a Class 9 student".
func namedBefore(p prose, i int) int {
	to := p.name(i)
	if p.titled || to == i || i > 0 && p.name(i-1) > i || !p.gapIs(to, " ,") || p.gapIs(to, " ") {
		return i
	}
	j := to
	article := p.at(j).folded == "a" || p.at(j).folded == "an"
	if article {
		j++
	}
	if end := p.ageAt(j); end > j {
		return end
	}
	for ; article && j < to+4; j++ {
		if children[p.at(j).folded] && !p.possessive(j) && (p.closed(j+1) || describes[p.at(j+1).folded]) {
			return j + 1
		}
	}
	return i
}

// kin finds a child by its parents: "daughter of Rajan", "Rajan's minor daughter".
func kin(p prose, i int, about bool) int {
	if !about {
		return i
	}
	if offspring[p.at(i).folded] && p.at(i+1).folded == "of" {
		to := p.name(i + 2)
		before := p.at(i - 1)
		grown := before.number > 17 || before.capital && !p.titled && p.name(i-1) == i
		if to > i+2 && !grown && !p.titled {
			return to
		}
	}
	to := p.name(i)
	if p.titled || to == i || !p.possessive(to-1) && !p.possessiveWithin(i, &to) {
		return i
	}
	for j := to; j < to+5; j++ {
		if offspring[p.at(j).folded] {
			if p.at(j).capital {
				return i // Destiny's Child
			}
			return j + 1
		}
		if t := p.at(j).folded; t != "s" && !children[t] && !qualifiers[t] && p.at(j).number < 0 {
			break
		}
	}
	return i
}

// relative finds a child by a relative's name: "her father Rajan", "Rajan, the
// girl's father,". A Father with a capital is a priest.
func relative(p prose, i int, about bool) int {
	if !about || p.titled {
		return i
	}
	if t := p.at(i); relatives[t.folded] && !t.capital {
		to := p.name(i + 1)
		if to > i+1 && (p.gapIs(i+1, " ") || p.gapIs(i+1, " ,(") && p.closed(to)) {
			return to
		}
		return i
	}
	to := p.name(i)
	if to == i || !p.gapIs(to, " ,") || p.gapIs(to, " ") {
		return i
	}
	j := to
	if t := p.at(j).folded; t == "her" || t == "his" || t == "their" {
		j++
	} else {
		for j < to+3 && (children[p.at(j).folded] || victims[p.at(j).folded] || qualifiers[p.at(j).folded] || p.at(j).folded == "s") {
			j++
		}
	}
	if j > to && relatives[p.at(j).folded] {
		return j + 1
	}
	return i
}

// school finds one by its name: "St Mary's Higher Secondary School".
func school(p prose, i int, about bool) int {
	if !about || !schools[p.at(i).folded] {
		return i
	}
	specific, institution := 0, p.at(i).folded != "school"
	for j := i - 1; j >= 0 && j > i-7; j-- {
		t := p.at(j)
		if t.folded == "s" && strings.ContainsAny(t.gap, "'’") {
			continue
		}
		if !t.capital || strings.ContainsAny(p.at(j+1).gap, ",;:()—–|") {
			break
		}
		switch {
		case saints[t.folded]:
			specific++
			institution = true
		case institutions[t.folded]:
			institution = institution || chosen[t.folded]
		case t.known:
		case children[t.folded] || notNames[t.folded] || functionWords[t.folded]:
			j = 0
		default:
			specific++
		}
	}
	if specific == 0 || p.titled && !institution || p.at(i).folded == "school" && !p.at(i).capital && !institution {
		return i
	}
	return i + 1
}

// schoolAt finds a school by a place that is smaller than a town.
func schoolAt(p prose, i int, about bool) int {
	if !about || p.titled || !schools[p.at(i).folded] {
		return i
	}
	if prep := p.at(i + 1).folded; prep != "in" && prep != "at" && prep != "near" {
		return i
	}
	return p.smallPlace(i + 2)
}

// home finds where a child lives: "a girl from Vypin".
func home(p prose, i int, about bool) int {
	t := p.at(i).folded
	if p.titled || !p.child(i) && (!about || !victims[t] || offspring[t]) {
		return i
	}
	j := i + 1
	for j < i+4 && homeWords[p.at(j).folded] && p.gapIs(j, " ,") {
		j++
	}
	if last := p.at(j - 1).folded; j == i+1 || last != "from" && last != "of" && last != "in" && last != "at" && last != "near" {
		return i
	}
	if j == i+2 && p.at(i+1).folded != "from" && p.at(i+1).folded != "of" {
		return i // "abused the girl in Vypin" says where it was done
	}
	if to := p.smallPlace(j); to > j {
		return to
	}
	return i
}

// smallPlace returns the end of a capitalised name at i that is not known to be a
// town or greater.
func (p prose) smallPlace(i int) int {
	if p.at(i).known && p.at(i+1).folded == "s" {
		i += 2 // Kochi's Vypin
	}
	if to := p.name(i); to > i && p.gapIs(i, " ") {
		// "Vypin in Kochi" and "Vypin" alike; "Vytilla Police" is a station.
		return to
	}
	return 0
}

// residence finds a house by its number or its code, where the sentence speaks of
// nobody that is grown up.
func residence(p prose, i int, about bool) int {
	if !about {
		return i
	}
	t, next := p.at(i), p.at(i+1)
	to := i
	switch {
	case (t.folded == "house" || t.folded == "door" || t.folded == "flat" || t.folded == "ward") && (next.folded == "no" || next.folded == "number") && p.at(i+2).number >= 0:
		to = i + 3
	case t.folded == "ward" && next.number > 0:
		to = i + 2
	case (t.folded == "pin" || t.folded == "pincode") && next.number >= 100000 && next.number <= 999999:
		to = i + 2
	}
	if to == i {
		return i
	}
	for j := i; j >= 0 && !strings.ContainsAny(p.at(j).gap, ".;\n"); j-- {
		if n := p.at(j).number; n > 17 && n < 100 && strings.ContainsAny(p.at(j).gap, "(,") {
			return i
		}
	}
	return to
}

// child reports whether the word at i stands for a child. With a capital within a
// sentence it is part of the name of something: Child Support, Boy George.
func (p prose) child(i int) bool {
	t := p.at(i)
	return children[t.folded] && (p.titled || !t.capital || i == 0 || strings.ContainsAny(t.gap, ".:!?\n"))
}

// possessive reports whether 's follows the word at i.
func (p prose) possessive(i int) bool {
	return p.at(i+1).folded == "s" && (p.at(i+1).gap == "'" || p.at(i+1).gap == "’")
}

// possessiveWithin cuts a name at its 's: name runs over the apostrophe.
func (p prose) possessiveWithin(i int, to *int) bool {
	for j := i; j < *to; j++ {
		if p.possessive(j) {
			*to = j + 1
			return true
		}
	}
	return false
}
