"""The story grammar.

A story is a plot (a function below) told about a cast. A plot says sentences; each sentence is one of several
alternatives, written in a small template language:

    {a|b|c}      one of the alternatives, which may nest and may be empty
    [happy]      a word of that list in lexicon.WORDS
    <A>          the name of A;  <A.he> <A.him> <A.his>: the pronoun, or the name again where the pronoun
                 would be read as somebody else;  <A.self>;  <A.kind>;  <A.intro>: "a little fox named Pip"
    <o>          a value that the plot has set

The first letter of a sentence is raised and "a" becomes "an" afterwards.
"""

import re

from . import lexicon as words

PRONOUNS = {"he": {"he": "he", "him": "him", "his": "his", "self": "himself"},
            "she": {"he": "she", "him": "her", "his": "her", "self": "herself"}}
CHOICE = re.compile(r"\{([^{}]*)\}")
SLOT = re.compile(r"\[(\w+)\]|<(\w+)(?:\.(\w+))?>")


class Being:
    """Somebody in a story: a child, a grown-up or an animal, with or without a name."""

    def __init__(self, kind, pronoun, name=None, adjective=None, title=None):
        self.kind, self.pronoun, self.adjective, self.title = kind, pronoun, adjective, title
        self.name = name
        self.child = kind in ("girl", "boy")
        self.animal = kind in words.ANIMALS

    def short(self, rng):
        """How a later sentence calls them."""
        if self.title and not self.name:
            return self.title
        if not self.name:
            return f"the {self.adjective + ' ' if self.adjective and rng.random() < 0.25 else ''}{self.kind}"
        if self.animal and rng.random() < 0.2:
            return f"the {self.kind}"
        return self.name

    def intro(self, rng):
        """How the first sentence calls them."""
        if self.title and not self.name:
            return self.title
        what = " ".join(x for x in (self.adjective, self.kind) if x)
        return f"a {what} {rng.choice(['named', 'named', 'called'])} {self.name}" if self.name else f"a {what}"


class Story:
    def __init__(self, rng, kind=None, name=None, thing=None, plot=None):
        self.rng, self.values, self.last, self.paragraphs = rng, {}, {}, [[]]
        self.setting = self.choose_setting(kind)
        self.where, self.spots, self.land, self.wide = (
            list(x) if isinstance(x, list) else x for x in words.SETTINGS[self.setting])
        rng.shuffle(self.spots)
        self.used_kinds, self.used_names, self.known = set(), set(), set()
        self.A = self.being(kind=kind, name=name, hero=True)
        self.B = self.being(other=self.A)
        self.C = self.being(other=self.A)
        self.thing = thing
        self.set(where=rng.choice(self.where), land=self.land, wide=self.wide, C=self.C, B=self.B, A=self.A,
                 spot=self.spots[0], spot2=self.spots[1], spot3=self.spots[2], spot4=self.spots[3],
                 home=words.ANIMALS[self.A.kind][1] if self.A.animal else "house",
                 food=words.ANIMALS[self.A.kind][2] if self.A.animal else rng.choice(words.FOODS))
        self.set(colour=rng.choice(words.COLOURS))
        toy = thing or rng.choice(words.TOYS)
        self.set(toy=toy, o=f"{self.values['colour']} {toy}" if rng.random() < 0.6
                 else f"{rng.choice(words.WORDS['shiny'])} {toy}")
        self.plot = plot or rng.choice(PLOTS)

    # The cast ------------------------------------------------------------------------------------------------------

    def choose_setting(self, kind):
        if kind in words.ANIMALS:
            return self.rng.choice(words.ANIMALS[kind][0].split())
        if kind:
            return self.rng.choice(["town", "farm", "sea", "forest"])
        return self.rng.choice(list(words.SETTINGS))

    def being(self, kind=None, name=None, hero=False, other=None):
        rng = self.rng
        if kind is None:
            child = name or (self.setting != "jungle" and rng.random() < (0.45 if hero else 0.25))
            if child:
                kind = "girl" if name in words.GIRLS or (name not in words.BOYS and rng.random() < 0.5) else "boy"
            else:
                kinds = [k for k, v in words.ANIMALS.items()
                         if self.setting in v[0].split() and (k not in self.used_kinds)]
                kind = rng.choice(kinds)
        pronoun = {"girl": "she", "boy": "he", "hen": "she"}.get(kind) or rng.choice(["he", "she"])
        if name in words.GIRLS or name in words.ANIMAL_NAMES["she"]:
            pronoun = "she"
        if name in words.BOYS or name in words.ANIMAL_NAMES["he"]:
            pronoun = "he"
        if other and rng.random() < 0.4 and kind not in ("girl", "boy", "hen"):
            pronoun = {"he": "she", "she": "he"}[other.pronoun]
        if kind in ("girl", "boy"):
            names = words.GIRLS if kind == "girl" else words.BOYS
        else:
            names = words.ANIMAL_NAMES[pronoun] + (words.GIRLS if pronoun == "she" else words.BOYS)[:10]
        if not name and (kind in ("girl", "boy") or rng.random() < (0.7 if hero else 0.4)):
            name = rng.choice([n for n in names if n not in self.used_names])
        size = rng.choice(words.WORDS["small"]) if hero else None
        adjective = rng.choice([size, size, rng.choice(words.WORDS["nature"])]) if hero \
            else rng.choice(words.WORDS["nice"] + [None])
        self.used_kinds.add(kind)
        self.used_names.add(name)
        return Being(kind, pronoun, name, adjective)

    def parent(self):
        """A mother, father or grandparent of A."""
        word, pronoun = self.rng.choice([("mother", "she"), ("father", "he"), ("mother", "she"), ("father", "he"),
                                         ("grandmother", "she"), ("grandfather", "he")])
        being = Being(word, pronoun, title=f"PARENT {word}")
        self.set(P=being)
        return being

    # Saying things -------------------------------------------------------------------------------------------------

    def set(self, **values):
        self.values.update(values)

    def chance(self, probability):
        return self.rng.random() < probability

    def paragraph(self):
        if self.paragraphs[-1]:
            self.paragraphs.append([])

    def say(self, *alternatives):
        sentence = self.expand(self.rng.choice(alternatives))
        if sentence:
            self.paragraphs[-1].append(sentence)

    def maybe(self, probability, *alternatives):
        if self.chance(probability):
            self.say(*alternatives)

    def expand(self, text):
        while True:
            match = CHOICE.search(text)
            if not match:
                break
            text = text[: match.start()] + self.rng.choice(match[1].split("|")) + text[match.end():]
        text = SLOT.sub(self.fill, text)
        text = re.sub(r"\b([Aa]) (?=[aeiouAEIOU])(?!uni|use|one)", r"\1n ", text)
        text = re.sub(r"\b(\w+) \1\b", r"\1", text)
        text = re.sub(r" +", " ", text).replace(" ,", ",").replace(" .", ".").strip()
        text = re.sub(r"^(\"?)([a-z])", lambda m: m[1] + m[2].upper(), text)
        text = re.sub(r"((?:[.!?]|\.\") +\"?)([a-z])", lambda m: m[1] + m[2].upper(), text)
        text = re.sub(r"\^(\"?)(\w)", lambda m: m[1] + m[2].upper(), text)
        return re.sub(r"((?:,|[.!?]\") \")([a-z])", lambda m: m[1] + m[2].upper(), text)

    def fill(self, match):
        word, value, form = match[1], match[2], match[3]
        if word:
            return self.rng.choice(words.WORDS[word])
        value = self.values[value]
        if not isinstance(value, Being):
            return str(value)
        if form == "kind":
            return value.kind
        if form == "self":
            return PRONOUNS[value.pronoun]["self"]
        if form == "intro" and value not in self.known:
            self.known.add(value)
            self.last[value.pronoun] = value
            return value.intro(self.rng)
        form = None if form == "intro" else form
        pronoun = form and self.last.get(value.pronoun) is value
        if pronoun:
            return PRONOUNS[value.pronoun][form]
        self.last[value.pronoun] = value
        if value in (self.B, self.C) and value not in self.known:
            name = self.introduce(value)
        elif value is self.A and not self.paragraphs[0]:
            name = value.name if value.child else \
                f"{value.name} the {value.kind}" if value.name and self.chance(0.6) else f"the little {value.kind}"
        else:
            name = value.short(self.rng)
        self.known.add(value)
        if name.startswith("PARENT"):
            owner = self.A
            whose = PRONOUNS[owner.pronoun]["his"] if self.last.get(owner.pronoun) in (owner, value) \
                else owner.short(self.rng) + "'s"
            name = f"{whose} {value.kind}"
        return name + ("'s" if form == "his" else "")

    def introduce(self, being):
        """The first mention of a helper by a sentence that takes them for known."""
        if not being.name:
            return being.intro(self.rng)
        if being.animal:
            return f"{being.name} the {being.kind}"
        return f"{'his' if self.A.pronoun == 'he' else 'her'} friend {being.name}" \
            if self.last.get(self.A.pronoun) in (self.A, being) else being.name

    # The frame -----------------------------------------------------------------------------------------------------

    def tell(self):
        self.plot(self)
        text = "\n\n".join(" ".join(p) for p in self.paragraphs if p)
        if self.chance(0.3):
            text += self.rng.choice([" The end.", "\n\nThe end."])
        return text

    def begin(self):
        """Introduces A and where A lives; some stories go right to the action."""
        if self.plot in STRAIGHT and self.chance(0.15):
            return
        self.say(
            "{once upon a time|once upon a time,|once upon a time,|once|long ago,|a long time ago,} there "
            "{was|lived} <A.intro>. <A.he> lived <where>.",
            "{once upon a time|once upon a time,|once upon a time,} there was <A.intro> who lived <where>.",
            "{once upon a time,|once,|long ago,|} <where>{, there|, there| there} {lived|was} <A.intro>.",
            "there {once |}was <A.intro>. <A.he> lived {in a {small|cozy|warm} <home> |}<where>.",
            "once upon a time, <A.intro> lived {in a {small|cozy|warm} <home> |}<where>.",
        ) if self.chance(0.6) or not self.A.name and self.chance(0.4) else self.begin_directly()
        self.nature()

    def begin_directly(self):
        A = self.A
        bare = A.name if A.name else f"the {A.adjective or 'little'} {A.kind}"
        if A.name and A.animal and self.chance(0.5):
            bare = f"{A.name} the {A.kind}"
        elif A.name and A.animal and self.chance(0.4):
            bare = f"the little {A.kind}"
        self.last[A.pronoun] = A
        self.set(bare=bare)
        if A.name and (A.child or "the" in bare):
            self.say("<bare> lived {in a {small|cozy|warm} <home> |}<where>.",
                     "<bare> was a [nature] <A.kind> who lived <where>." if "the" not in bare
                     else "<bare> lived <where>.")
        else:
            self.say("<bare> lived {in a {small|cozy|warm} <home> |}<where>.")

    def nature(self):
        self.maybe(
            0.65,
            "<A.he> was {very|a very|} [nature].".replace("a very|", "very|"),
            "<A.he> loved to {play|sing|run|read|dance|climb|explore|help others|play outside|tell jokes|look at the stars}.",
            "<A.he> {liked|loved} {to eat <food>s|to eat a <food> every day|the {sun|rain|wind|snow|stars}|to play {all day|outside|in the grass}}.",
            "everyone {liked|loved} <A> because <A.he> was [good]." if self.plot is not new_friend else "",
            "every {day|morning}, <A.he> {played|walked} {near the <wide>|in the sun|outside}.",
            "<A.he> had a [shiny] [colour] {hat|scarf|bag|cap} and wore it every day.",
            "<A.his> best friend was <B.intro>." if self.chance(0.5) and self.plot is not new_friend
            else "<A.he> lived there with <A.his> {family|mother|father|mother and father}.",
        )

    def one_day(self, what, calm=True, morning=False):
        """The opening of the action. calm: the weather may be told."""
        self.paragraph()
        weather = [f"one [sunny] {'morning' if morning else '[time]'},"] * 3 + ["it was a [sunny] [time]."] * (not morning)
        openings = ["one day,", "one day,", "one day", "one [weekday],", "one {day|morning} in [season],", "then, one day,", "{early one morning|last [season]|some time ago},"]
        if not self.paragraphs[0]:
            openings.remove("then, one day,")
        self.say(f"{self.rng.choice(openings + weather * calm)} {what}")

    def finish(self, *lessons):
        """Everybody is content, and there may be a lesson."""
        said = self.paragraphs[-1][:]
        self.maybe(0.75, *lessons)
        if any("From that day" in x or "after that" in x.lower() for x in self.paragraphs[-1][-1:] + said[-1:]):
            return
        self.maybe(
            0.5,
            "<A> was [happy].", "that {night|evening}, <A> {slept very well|fell asleep with a smile}.",
            "from that day on, <A.he> {smiled|was happy|sang} every {day|morning}.",
            "it was {the best day|a wonderful day|a day to remember}.", "and they all lived happily ever after.",
            "<A> {had|fell asleep with} a {happy heart|warm heart|smile on <A.his> face}.", "and <A.he> never forgot that day.")

    def meet_helper(self, line):
        """B arrives and asks what is wrong; A tells."""
        self.say(
            f"{{then|just then,|soon,|after a while,|on the way,|at that moment,}} <A.he> {{met|saw}} <B.intro>. \"{{what is wrong|why are you sad|what happened|why do you look so sad}}?\" asked <B>. \"{line},\" said <A>.",
            f"<B.intro> {{came by|came along|heard <A>}}. \"{{hello|good morning|oh dear}}, {{what is wrong|why are you crying|what happened}}?\" <B.he> asked. \"{line},\" {{answered|said|cried}} <A>.",
            f"{{then|just then,|soon,}} <A.he> met <B.intro>. <A> told <B.him> everything. \"{line},\" <A.he> said.",
        )

    def agree(self):
        self.say(
            "\"{do not worry|don't worry|do not be sad}, I {will|can} help you,\" said <B>.",
            "\"{I can help you|let me help you|we can do it together},\" <B.he> said {with a smile|kindly|at once}.",
            "<B> {smiled|nodded|thought for a moment}. \"I {will|can} help you,\" <B.he> said.",
            "\"I know what to do,\" said <B>. \"come with me!\"",
        )

    def thank(self):
        self.say(
            "\"thank you{|, my friend|, thank you}!\" {said|cried} <A>. \"{you are {very|so} kind|you are a good friend|you are the best|I will never forget this}.\"",
            "<A> {thanked|hugged} <B>{| and gave <B.him> a [food]| with all <A.his> heart}.",
            "\"thank you for your help,\" said <A>. \"{you are welcome|that is what friends are for|any time|it was fun},\" said <B>.",
            "<A> was [happy] and {thanked|hugged} <B>.",
        )


# The plots ---------------------------------------------------------------------------------------------------------


def lost_thing(s):
    s.begin()
    s.say("<A> had a <o>. {it was <A.his> favourite thing|<A.he> loved it very much|<A.he> took it everywhere|it was a gift from <A.his> {grandmother|mother|grandfather|father|best friend}}.",
          "<A.his> favourite thing was a <o>. {<A.he> played with it every day|<A.he> never went out without it|it was very special}.")
    s.one_day("<A.he> {could not find|lost} the <toy>. {it was gone|<A.he> was [sad]|<A.he> began to cry}.")
    s.say("<A> looked <spot>, but {it was not there|the <toy> was not there|there was nothing}. {then <A.he> looked <spot2>, but {it was not there|there was nothing} either.|}",
          "\"where is my <toy>?\" <A> {cried|asked}. <A.he> looked <spot> and <spot2>, but {did not find it|found nothing}.",
          "<A.he> {searched|looked} {everywhere|high and low}. <A.he> looked <spot>. <A.he> looked <spot2>. the <toy> was not there.")
    s.paragraph()
    s.meet_helper("{I lost my <toy>|I cannot find my <o>|my <toy> is gone|I have lost my <o>}")
    s.agree()
    ending = s.rng.randrange(4)
    if ending == 0:
        s.say("they {looked|searched} together. {at last|soon|after a long time}, <B> {found|saw} the <toy> <spot3>. \"{here it is|look, there it is|I found it}!\" <B.he> {said|cried|called}.")
        s.thank()
    elif ending == 1:
        s.say("\"{think|try to remember}. where were you {yesterday|this morning|last night}?\" <B.he> asked. <A> {thought|thought hard|closed <A.his> eyes}. \"I was playing <spot3>!\" <A.he> said. they {ran|hurried|went} there, and there {was the <toy>|it was}.")
        s.thank()
    elif ending == 2:
        s.say("they looked <spot3>. there sat <C.intro> with the <toy>. \"is this yours?\" asked <C>. \"I found it {<spot4>|this morning|yesterday} and {kept it safe|did not know who lost it}.\" <C.he> gave it back.")
        s.say("<A> thanked <C> and <B>.", "\"thank you both!\" said <A>.", "<A> was [happy]. now <A.he> had the <toy> and {a|one} new friend.")
    else:
        s.say("{they looked all day|they searched for a long time}, but the <toy> was {really gone|not there}. then <B> had an idea. {<B.he> made a new <toy> for <A>|\"you can have my <toy>,\" <B.he> said|\"let us make a new one,\" <B.he> said}.")
        s.say("the new <toy> was {even better|just as good|not the same, but it was made with love}.")
    s.paragraph()
    s.finish("after that, <A.he> always {took good care of <A.his> things|put <A.his> <toy> in a safe place}.",
             "<A.he> learned that {friends are worth more than things|it is good to ask for help|a good friend is the best gift}.",
             "then they played {together|with it} until {the sun went down|it was time for dinner|evening}.")


def new_friend(s):
    s.begin()
    s.say("but <A> {was lonely|had no friends|felt alone|was often alone}. {<A.he> wanted a friend|<A.he> wished for a friend|every day <A.he> played alone}.")
    s.one_day("<A.he> {saw|met} <B.intro> <spot>. {<B.he> was crying|<B.he> looked sad|<B.he> was all alone|<B.he> was looking at the sky}.")
    s.say("\"{hello|hi|good morning}, {I am <A>|what is your name|who are you}?\" said <A>.".replace("I am <A>|", ""),
          "<A> was shy at first. then <A.he> {took a deep breath|was brave} and said, \"{hello|hi}!\"",
          "\"why are you {sad|alone|here}?\" asked <A>.")
    if s.B.name:
        s.say("\"{my name is|I am} " + s.B.name + ",\" said the <B.kind>. \"{I am new here|I have no friends here|I just moved here}.\"")
    else:
        s.say("\"I {am new here|have no friends|just came here}, and I {am lonely|do not know anyone},\" said <B>.")
    s.say("\"{do you want to|would you like to} {play with me|be my friend|come with me}?\" asked <A>. {<B> smiled and said yes|\"yes, please!\" said <B>|\"oh yes!\" <B.he> {said|cried}|<B> was [happy]}.",
          "\"I can be your friend,\" said <A>. {<B> smiled|\"really?\" asked <B>. \"really,\" said <A>}.")
    s.paragraph()
    s.say("they {played|ran and jumped|played games|told jokes} {all day|until the evening|together}. {then they {shared|ate} a <food> {under a tree|in the sun|near the <wide>}.|}",
          "<A> showed <B> {the <wide>|the best place to play|<A.his> <o>|<A.his> home}. {they {laughed|sang|played} together.|}",
          "they played with the <o> and {laughed a lot|had a lot of fun|sang songs}.")
    if s.chance(0.4):
        s.say("{suddenly|then}, {it started to rain|it began to rain|a cold wind came}. \"come to my house!\" said <A>. they {ran|hurried} home and {drank warm tea|ate hot soup|sat by the fire}.")
    s.say("when the sun went down, <B.he> said, \"{I had a wonderful day|thank you|this was the best day}. can we play again tomorrow?\" \"{of course|yes}!\" said <A>.",
          "\"see you tomorrow!\" said <B>. \"see you tomorrow!\" said <A>.",
          "in the evening, they {said goodbye|looked at the stars together|watched the sun go down}.")
    s.finish("from that day on, they were {best friends|good friends|always together}.",
             "<A> was not lonely anymore.",
             "<A.he> learned that {a friend can be anywhere|one kind word can make a friend|saying hello can change everything}.")


FEARS = [
    ("the dark", "it is too dark", "the dark is full of stars", "night"),
    ("thunder", "the thunder is too loud", "thunder is only noise in the sky", "evening"),
    ("the water", "the water is too deep", "the water carries you when you stay calm", "day"),
    ("high places", "it is too high", "you can look up and not down", "day"),
    ("the wind", "the wind is too strong", "the wind only wants to play", "day"),
    ("big dogs", "that dog is too big", "big dogs can be gentle", "day"),
    ("the old house", "the house looks scary", "the house is just old and sleepy", "evening"),
    ("the dentist", "it will hurt", "it is over very fast", "day"),
]


def fear(s):
    fears = FEARS if s.setting in ("town", "farm") else FEARS[:5]
    if s.A.kind in words.SWIMMING or s.A.kind in words.FLYING:
        fears = [f for f in fears if f[0] not in ("the water", "high places")]
    what, because, truth, when = s.rng.choice(fears)
    s.set(fear=what, because=because, truth=truth)
    s.begin()
    s.say("but <A> was afraid of <fear>.", "<A> was {brave|happy}, but there was one problem. <A.he> was afraid of <fear>.",
          "there was only one thing <A.he> did not like. <A.he> was afraid of <fear>.")
    s.one_day({
        "the dark": "<A> woke up in the middle of the night. it was {dark|very dark} {in the room|outside}, and <A.he> could not fall asleep again.",
        "thunder": "the sky turned {grey|black|dark}. then came the thunder. boom! <A> hid {under the bed|under a blanket|behind a chair}.",
        "the water": "<A.his> friends {swam|played} in the <wide>. <A> sat on the {grass|sand|bank} and {watched|looked} at them.",
        "high places": "a [toy] was stuck in a tall tree. somebody had to climb up, but <A> {was too scared|did not want to}.",
        "the wind": "the wind was very strong. it {shook the trees|blew the leaves around}. <A> {hid at home|did not want to go out}.",
        "big dogs": "a big dog came down the {road|street}. <A> {hid behind a tree|wanted to run away|did not move}.",
        "the old house": "<A.his> ball flew into the garden of the old house. <A> {stopped at the gate|did not dare to go in}.",
        "the dentist": "<A.his> tooth hurt. \"we must go to the dentist,\" said <A.his> mother.",
    }[what].replace("[toy]", s.values["toy"]), calm=False)
    s.say("\"{I cannot do it|I am afraid|I am scared}. <because>,\" <A.he> {said|cried|whispered}.",
          "<A.he> was [scared]. \"<because>!\" <A.he> {said|cried}.")
    s.paragraph()
    if s.chance(0.5):
        s.parent()
        s.set(H=s.values["P"])
        s.say("<H> {came|sat down next to <A>|took <A.his> hand}. \"{I was afraid of <fear> too when I was small|everyone is afraid sometimes|it is fine to be afraid},\" <H.he> said. \"but <truth>.\"" if s.A.child else
              "<H> {came|sat down next to <A>}. \"{I was afraid of <fear> too when I was small|everyone is afraid sometimes|it is fine to be afraid},\" <H.he> said. \"but <truth>.\"")
    else:
        s.set(H=s.B)
        s.say("<B.intro> {came|saw this|heard this}. \"{do not be afraid|I was afraid too|everyone is afraid of something},\" <B.he> said. \"<truth>. {I will stay with you|come, we will do it together|I will help you}.\"")
    s.say("<A> {thought about it|took a deep breath|was quiet for a moment}. {then <A.he> counted to three. \"one, two, three!\"|then <A.he> tried.|\"I will try,\" <A.he> said.}")
    s.say({
        "the dark": "<A.he> looked out of the window. there were {hundreds of|many|so many} stars. {the moon was big and round|they were beautiful}. {it was not scary at all|soon <A> was asleep}.",
        "thunder": "<A.he> listened. boom! {<A.he> counted to ten and laughed|it was loud, but nothing happened|it sounded like a big drum}. {soon the storm was over|then the rain stopped}.",
        "the water": "first, <A.he> put one foot into the water. {it was warm|it was cool and nice}. then <A.he> went in, step by step. {soon <A.he> could swim|<A.he> was swimming}!",
        "high places": "<A.he> climbed up, one branch after another. <A.he> did not look down. {at last|soon} <A.he> {had|reached} the <toy>. {<A.his> friends clapped|everyone clapped}.",
        "the wind": "<A.he> went outside and {opened <A.his> arms|held a kite in the air}. {it felt like flying|the kite flew high into the sky}. <A> [laughed].",
        "big dogs": "<A.he> held out <A.his> hand. the dog {sniffed it|licked it} and {wagged its tail|lay down}. {it was very soft|it was a gentle dog}.",
        "the old house": "<A.he> went through the gate and knocked on the door. an old {woman|man} opened it. \"{is this your ball|come in and have a cookie}?\".".replace("?\".", "?\" was the first thing <A.he> heard."),
        "the dentist": "the dentist was {kind|friendly} and told a funny joke. {it was over very fast|it did not hurt at all}. <A> got a [colour] sticker.",
    }[what])
    s.paragraph()
    s.say("\"I did it!\" {cried|said|called} <A>.", "\"I am not afraid anymore!\" said <A>.", "<A> was {happy|very happy|glad} and proud.")
    s.maybe(0.6, "\"{I knew you could do it|well done|I am proud of you|you were very brave},\" said <H>.")
    s.finish("after that, <A.he> was not afraid of <fear> anymore.",
             "<A.he> learned that {being brave means trying|fear gets smaller when you look at it|everybody can be brave}.")


def sharing(s):
    s.begin()
    s.set(f=s.rng.choice([s.values["food"], s.rng.choice(words.FOODS)]))
    s.one_day("<A.he> {found|got|had} a {big|sweet|fresh|large} <f>. {it smelled so good|it was the last one|<A.he> was very hungry|it looked wonderful}.")
    s.say("<A> {sat down <spot>|sat down under a tree|wanted to eat it at once}. {then|just then,|at that moment,} <B.intro> came by. \"I am so hungry,\" said <B>. \"{may I have a little|can I have a piece|will you share with me}?\"")
    if s.chance(0.5):
        s.say("\"no, it is {mine|all mine}!\" said <A>. {<B> {was sad and went away|walked away slowly}.|\"oh,\" said <B> and went away.}")
        s.say("but then the <f> did not taste good. <A> {felt bad|was not happy|thought of <B>}. {eating alone was no fun.|<A.he> could not stop thinking about <B>.|}")
        s.say("<A.he> {ran after|went to look for} <B>. \"{I am sorry|please forgive me},\" <A.he> said. \"{let us share it|here is a piece for you|you can have half of it}.\"")
    else:
        s.say("<A> looked at the <f>. {it was not very big|<A.he> was hungry too|there was only one}. but <B> looked so hungry. \"{of course|yes, sit down|here},\" said <A>. \"{we can share|half is for you|you can have half of it}.\"")
    s.paragraph()
    s.say("they {sat in the sun|sat side by side|sat down} and {ate together|shared the <f>|ate every crumb}. {it tasted better than ever.|it was very good.|}",
          "<B> {smiled|was [happy]}. \"{thank you, you are very kind|this is the best <f> in the world},\" <B.he> said.")
    if s.chance(0.5):
        s.say("{the next day|a week later|some days later}, <A.he> was {hungry|cold and hungry|sad} and had nothing to eat. then <B> came with a {basket|bag} full of {nuts|apples|pears|berries|cookies}. \"now it is my turn to share,\" <B.he> said.")
    s.finish("<A.he> learned that {sharing makes everything better|food tastes best with a friend|it is good to share}.",
             "after that, they {always shared|ate together every day|were good friends}.")


def hurt_animal(s):
    small = s.rng.choice([k for k in ("bird", "butterfly", "bee", "mouse", "rabbit", "hedgehog", "turtle", "kitten", "duck", "owl")
                          if k != s.A.kind])
    flies = small in words.FLYING
    baby = Being(small, s.rng.choice(["he", "she"]), adjective="little")
    s.set(X=baby, hurt="wing" if flies or small == "duck" else "leg")
    s.begin()
    s.one_day("<A.he> heard a {small|soft|strange|sad} {sound|voice} <spot>. {it was|there was} a little <X.kind>. {<X.he>|the poor <X.kind>} had a {hurt|broken} <hurt>.")
    s.say("\"{oh no|you poor little thing|oh dear}!\" {said|cried} <A>. \"{do not be afraid|I will help you|I will take care of you}.\"",
          "the <X.kind> was {very weak|cold|afraid}. \"please help me,\" {it seemed to say|<X.he> said}.".replace("it seemed to say|", ""))
    s.say("<A> {carried <X.him> home|took <X.him> home|put <X.him> into a {small box|soft basket} and went home}. {<A.he> put a {bandage|soft leaf} on the <hurt>.|<A.he> washed the <hurt> with warm water.}")
    s.paragraph()
    s.say("every {day|morning}, <A> {gave <X.him> {water|milk} and {food|berries|some bread}|sang a song for <X.him>|changed the bandage}. {day after day|slowly}, the <X.kind> got {better|stronger}.",
          "<A> {stayed with <X.him> all night|fed <X.him> every day|made a warm bed for <X.him>}. the <X.kind> {slept a lot|ate a little more each day} and got {better|stronger}.")
    s.maybe(0.4, "{some friends|the others} laughed at <A>. \"it is only a <X.kind>,\" they said. but <A> {did not listen|did not care}.",
            "<B> helped too. <B.he> brought {a warm blanket|some fresh leaves|a bowl of soup}.")
    s.say("{after a week|after two weeks|one morning|at last}, the <X.kind> was {well again|healthy again|strong again}. " +
          ("{it was time to say goodbye. |}<A> {opened the window|took <X.him> outside}, and <X.he> {flew up into the sky|flew away}." if flies else
           "{it was time to say goodbye. |}<A> {opened the door|took <X.him> back to the <land>}, and <X.he> {ran|went} {home|to find <X.his> family}.".replace("{ran|went}", "went")))
    if s.chance(0.6):
        s.paragraph()
        s.say("{some time later|one day|in the [season]}, <A> {got lost in the fog|could not find the way home|was alone and sad}. {suddenly|then} the <X.kind> {came back|was there}. \"{you helped me, and now I will help you|follow me},\" <X.he> said{| and showed <A> the way home}.",
              "every {spring|day}, the <X.kind> came back to {visit <A>|say hello|sing for <A>}.".replace("sing for <A>", "bring <A> a flower"))
    s.finish("<A.he> learned that {kindness comes back|even the smallest friend matters|it is good to help others}.",
             "they stayed friends {for ever|for a long time}.")


def contest(s):
    game = s.rng.choice(["race", "race", "singing contest", "cake contest", "dancing contest", "painting contest"])
    if s.setting == "sea" and game == "race":
        game = "sand castle contest"
    act = {"race": "run", "singing contest": "sing", "cake contest": "bake", "dancing contest": "dance",
           "painting contest": "paint", "sand castle contest": "build a sand castle"}[game]
    gerund = {"run": "running", "sing": "singing", "bake": "baking", "dance": "dancing", "paint": "painting",
              "build a sand castle": "building sand castles"}[act]
    s.set(game=game, act=act, doing=gerund)
    s.begin()
    s.one_day("there was a big <game>. {everyone was excited|everybody wanted to win|the first prize was a <o>}.")
    s.say("<B> said, \"{I will win|I am the best|nobody is better than me}. {you are too small|you can never win|you cannot <act>}!\" {the others laughed.|<A> was sad.|}",
          "\"I want to {try|be part of it|win},\" said <A>. <B.intro> laughed. \"you? {you cannot <act>|you are too {small|slow}|you will lose}!\"")
    s.say("but <A> {did not give up|did not listen|worked hard}. every {day|morning} <A.he> practised <doing>. {at first it was {hard|very hard}. slowly, <A.he> got better.|<A.he> made many mistakes, but <A.he> tried again.}",
          "\"I will do my best,\" said <A>. <A.he> practised <doing> {every day|from morning to evening|for a week}.")
    s.paragraph()
    ending = s.rng.randrange(3)
    if game == "race":
        s.say("on the day of the race, everybody came. \"one, two, three, go!\" ^<B> was {very fast|the fastest|far ahead}.")
        if ending == 0:
            s.say("<B> was so sure to win that <B.he> {sat down to rest|stopped to eat|took a nap}. <A> {ran|went} on and on, step by step. when <B> {woke up|looked up}, <A> was already at the {end|finish line}. <A> won the race!")
        elif ending == 1:
            s.say("then <B> fell and hurt <B.his> {foot|leg}. <A> could win now! but <A.he> stopped. \"{are you hurt|can you walk}?\" <A.he> asked. <A> helped <B> up, and they {finished|went} together. everyone {clapped|cheered}.")
        else:
            s.say("<A> ran as fast as <A.he> could. <A.he> came in second. {\"you were great!\" said <B>|everyone clapped for <A>|but <A.he> was {happy|proud}, because <A.he> did <A.his> best}.")
    else:
        s.say("on the day of the <game>, everybody came. <B> {was first|went first}. {<B.he> was good, but {not very kind|too proud}.|it was nice.}")
        s.say("then it was <A.his> turn. <A> was {nervous|a little afraid}, but <A.he> {took a deep breath and began|smiled and began}. {it was wonderful|it was beautiful|everyone became quiet}.",
              "then <A> began to <act>. {people stopped and listened|everyone looked at <A.him>|it was wonderful}.".replace("people stopped and listened|", ""))
        if ending == 0:
            s.say("everyone clapped. <A> won the first prize!", "\"the winner is <A>!\" said the {judge|old owl|teacher}.")
        elif ending == 1:
            s.say("<B> won the first prize, but <B.he> {gave it to|shared it with} <A>. \"yours was better,\" <B.he> said.")
        else:
            s.say("they both won. \"next year, let us do it together,\" said <B>.")
    s.paragraph()
    s.maybe(0.6, "\"I am sorry I {laughed at you|was mean},\" said <B>. \"{it is fine|that is all right}. {we can be friends|let us be friends},\" said <A>.")
    s.finish("<A.he> learned that {it is important to try|doing your best is what counts|you should never give up|being kind is better than winning}.",
             "after that, nobody laughed at <A> again.")


def magic(s):
    s.begin()
    s.one_day("<A.he> found a <o> <spot>. {it was glowing|it looked very old|it shone like a star|it was not like any other <toy>}.")
    giver = s.rng.choice(["fairy", "wizard", "little ghost", "tiny elf", "small star"])
    s.set(g=giver)
    s.say("<A> {picked it up|touched it|rubbed it}. {suddenly|puff,|then} {there was a <g>|a <g> appeared}. \"{this is a magic <toy>|you found my magic <toy>},\" said the <g>. \"{you have|I will give you|it gives you} {one wish|a wish}.\"")
    wish = s.rng.randrange(5)
    if wish == 0:
        s.set(w=s.rng.choice(["cookies", "cakes", "toys", "pancakes", "balloons"]))
        s.say("\"I wish for {a hundred|a thousand|a mountain of} <w>!\" said <A>. {at once|puff}, there were <w> everywhere. {<A.he> was {so|very} happy.|}")
        s.say("but soon there were too many <w>. {<A.he> could not open the door|there was no place to sleep|<A.he> could not move}. \"help!\" <A.he> cried. {<A.his> friends came to help. they shared all the <w>.|<A.he> called everyone, and they shared all the <w>.}")
        s.finish("<A.he> learned that {enough is better than too much|sharing is better than having}.")
    elif wish == 1:
        s.set(w=s.rng.choice(["big", "very big", "as tall as a tree"]))
        s.say("\"I wish to be <w>!\" said <A>. {at once|puff}, <A.he> began to grow. {<A.he> could see the whole <land>.|<A.his> head was in the clouds.}")
        s.say("but {<A.his> bed was too small|nobody could play with <A.him> anymore|<A.his> friends were afraid of <A.him>}. <A> was [sad]. \"I want to be small again,\" <A.he> said. the <g> [laughed], and <A.he> was small again.")
        s.finish("<A.he> learned that {it is good to be yourself|small is just right}.")
    elif wish == 2:
        s.say("<A> thought for a long time. \"I do not need anything,\" <A.he> said. \"but my friend " + (s.B.name or "the " + s.B.kind) + " is {sick|sad|alone}. I wish <B.him> to be {well|happy} again.\"".replace("{sick|sad|alone}", "sick").replace("{well|happy}", "well"))
        s.say("the <g> smiled. \"{you have a good heart|that is a good wish},\" said the <g>. {when <A> came home, <B> was well again.|the next morning, <B> was well again.} they {danced|played|sang} all day.")
        s.finish("it was the best wish in the world.", "<A.he> learned that {the best gifts are for others|giving makes you happy}.")
    elif wish == 3:
        s.say("\"I wish I could fly!\" said <A>." if s.A.kind not in words.FLYING else "\"I wish I could sing like the wind!\" said <A>.")
        s.say("{at once|puff}, <A.he> {rose into the air|flew up}. <A.he> flew over the <land> and the <wide>. {everything was so small|the wind was cool|the clouds were soft}. <A.he> {waved to <A.his> friends|laughed with joy}." if s.A.kind not in words.FLYING else
              "{at once|puff}, <A.his> voice was clear and beautiful. {everyone stopped and listened.|the whole <land> became quiet.}")
        s.say("in the evening, the magic {was over|ended}. {<A> was a little sad|<A.he> was tired}, but <A.he> {would never forget it|had a story to tell}.")
        s.finish("<A> told {everyone|all <A.his> friends} about it.")
    else:
        s.say("\"I wish for a friend,\" said <A>. the <g> smiled. \"look behind you,\" said the <g>. there stood <B.intro>. \"hello,\" said <B>. \"do you want to play?\"")
        s.say("they played all day. {when <A.he> looked again, the <toy> was gone. but <A.he> did not need it anymore.|<A.he> did not need the magic <toy> anymore.}")
        s.finish("from that day on, they were best friends.")


def journey(s):
    goal, see = s.rng.choice([
        ("the sea", "the water was blue and wide"), ("the top of the hill", "the whole land lay below"),
        ("the end of the rainbow", "there were flowers in every colour"), ("the old castle", "it was big and full of light"),
        ("the big waterfall", "the water sang and danced"), ("the moon lake", "the water shone like silver"),
        ("the snow mountain", "everything was white and quiet"), ("the secret garden", "there were roses and butterflies")])
    if s.setting == "sea":
        goal, see = s.rng.choice([("the lighthouse", "the light was bright and warm"), ("the far island", "there were palm trees and parrots")])
    s.set(goal=goal, see=see)
    s.begin()
    s.say("<A.he> {always|often} {dreamed of|wanted to see} <goal>.", "<A.he> had one big dream. <A.he> wanted to see <goal>.")
    s.one_day("<A.he> {packed|took} a {small bag|bag with some food|[food] and a bottle of water} and {went|set out} on a journey. \"{today I will see <goal>|I will find <goal>},\" <A.he> said.")
    s.say("<A> walked {for a long time|over hills and fields|past tall trees|all morning}. {the sun was hot|the way was long|the birds were singing}.")
    s.paragraph()
    s.say("on the way, <A.he> met <B.intro>. \"where are you going?\" asked <B>. \"to <goal>,\" said <A>. \"{may I come with you|can I come too|I want to see it too}!\" said <B>. {so they went on together.|\"of course,\" said <A>.}".replace("may I come with you|can I come too|", ""),
          "soon <A.he> met <B.intro>. \"{it is a long way|be careful|the road is long},\" said <B>. \"{I will come with you|I will go with you|let me show you the way}.\"")
    s.set(block=s.rng.choice(["a deep river", "a high wall", "a dark tunnel", "a wide hole", "a broken bridge", "a sleeping dragon"]
                             if s.A.kind != "dragon" and s.B.kind != "dragon" else ["a deep river", "a dark tunnel", "a broken bridge"]))
    s.say("{suddenly|then|after a while}, they came to <block>. \"{what shall we do|how can we go on|what now}?\" asked <A>.")
    s.say({
        "a deep river": "they {found a small boat|made a raft of wood|jumped from stone to stone} and {got|came} to the other side.",
        "a high wall": "<B> {found a little door|made a ladder} and they {went through|climbed over}.".replace("{found a little door|made a ladder} and they {went through|climbed over}", "{found a little door, and they went through it|made a ladder, and they climbed over it}"),
        "a dark tunnel": "they {held hands|sang a song|lit a small lamp} and {walked slowly|went on}, and soon they saw light.",
        "a wide hole": "they {put a long tree over it|made a bridge of branches} and walked across, step by step.",
        "a broken bridge": "they {fixed it with wood and rope|found a strong rope and fixed it}.",
        "a sleeping dragon": "they {walked on the tips of their toes|went past very, very quietly}. the dragon {did not wake up|opened one eye and smiled}.",
    }[s.values["block"]])
    s.paragraph()
    s.say("{at last|in the evening|finally}, they {came to|reached} <goal>. <see>. \"{it is beautiful|it is wonderful|oh, look}!\" {said|cried|whispered} <A>.")
    s.say("they {sat there for a long time|stayed until the stars came out|ate a [food] and looked around}. {then they went home together.|then they walked home, tired and happy.}")
    s.finish("<A.he> learned that {every journey is better with a friend|big dreams begin with small steps|the way is as nice as the end}.",
             "<A> told {everyone|<A.his> family} about <goal>.")


def storm(s):
    s.begin()
    if s.chance(0.2):
        s.paragraph()
        s.say("it was a {dark and stormy|cold and windy|dark and rainy} night. <A> {sat by the fire|was warm and dry at home|could not sleep}.")
    else:
        clouds(s)
    storm_guest(s)


def clouds(s):
    s.one_day("{dark|big black|grey} clouds came over the <land>. {the wind blew|the wind became strong|it was getting cold}. \"a storm is coming!\" {cried|said|called} <A>.", calm=False)
    s.say("{soon it began to rain|the rain came down hard}. <A> {ran|hurried} to <A.his> <home> and {closed the door|sat by the fire|waited}.".replace("closed the door|sat by the fire|", "") if s.A.animal else
          "{soon it began to rain|the rain came down hard}. <A> {ran|hurried} home and {closed the door|sat by the fire}.")


def storm_guest(s):
    s.say("then <A.he> heard a {small|soft} {voice|sound} outside. {it was|there stood} <B.intro>. <B.he> was {wet and cold|cold and tired|wet from head to foot}. \"{please let me in|may I come in|my home is gone},\" <B.he> said.".replace("may I come in|", ""))
    s.say("\"{come in, come in|of course, come in|quick, come in}!\" said <A>. {<A.he> gave <B.him> a {warm blanket|cup of tea|bowl of soup}.|<A.he> made a warm place for <B.him>.}",
          "{the <home> was very small|there was not much room}, but <A> said, \"{come in|there is room for two|a friend can always come in}.\"")
    if s.chance(0.4):
        s.say("then <C.intro> came too. \"there is room for three,\" said <A>.", "after a while, <C.intro> knocked as well. <A> let <C.him> in.")
    s.paragraph()
    s.say("all night, the storm {went on|blew}. they {told stories|sang songs|played games} and {were not afraid|felt safe}. {outside it was dark and cold. inside it was warm.|}")
    s.say("in the morning, the {storm was over|sun was shining|rain had stopped}. {there was a big rainbow in the sky.|the air was fresh and clean.|the birds sang again.}")
    s.maybe(0.6, "they {went out|worked together} and {fixed|built} <B.his> home.".replace("{fixed|built}", "fixed"),
            "\"thank you,\" said <B>. \"{you saved me|you are a good friend|I will never forget it}.\"")
    s.finish("<A.he> learned that {a warm heart is the best house|there is always room for a friend}.",
             "after that, they {were|stayed} friends in {sun and rain|good and bad weather}.")


def building(s):
    s.set(b=s.rng.choice(["boat", "tree house", "bridge", "snowman", "swing", "kite", "small house", "sand castle", "wagon", "raft", "tower", "bench"]))
    s.begin()
    s.one_day("<A.he> wanted to build a {big|small|beautiful|strong|} <b>. {<A.he> had a good plan.|\"it will be the best <b> in the world,\" <A.he> said.|}")
    s.say("<A> {collected|found|took} {wood and rope|everything <A.he> needed|some tools} and {began to work|started at once}. {<A.he> worked all {day|morning}.|}".replace("wood and rope|", "" if s.values["b"] in ("snowman", "sand castle", "kite") else "wood and rope|"))
    s.say("but {the <b> fell down|it was too heavy|the wind blew it over|the <b> broke}. <A> was [sad]. {\"I will never finish it,\" <A.he> said.|<A.he> tried again, but it did not work.}")
    s.paragraph()
    s.say("{then|just then,} <B.intro> came by. \"what are you {doing|making}?\" <B.he> asked. \"I want to build a <b>, but I cannot do it alone,\" said <A>.",
          "<B> saw it. \"{do you need help|can I help you|shall I help you}?\" <B.he> asked. \"{no, I can do it alone|yes, please},\" said <A>. {but soon <A.he> saw that two are better than one.|}".replace("no, I can do it alone|", ""))
    s.say("\"{let us do it together|two are stronger than one|I will help you},\" said <B>. <B.he> {held the parts|brought a rope|had a good idea}, and <A> {worked|did the rest}.")
    s.maybe(0.4, "then <C.intro> came and helped too. {<C.he> brought some paint|<C.he> was very strong|<C.he> sang a song while they worked}.")
    s.say("they {worked|worked hard} {until the evening|all afternoon|for two days}. {at last|finally}, the <b> was {ready|done|finished}. {it was {beautiful|strong and tall|perfect}.|they painted it [colour].}".replace("they painted it [colour].", "it was perfect." if s.values["b"] in ("snowman", "sand castle") else "they painted it [colour]."))
    s.thank()
    s.paragraph()
    s.finish("<A.he> learned that {work is easier with friends|together we can do big things|asking for help is smart}.",
             "they {played with|were proud of|loved} their <b> {every day|very much|all [season]}.")


def birthday(s):
    s.begin()
    s.one_day("<A> woke up early. it was <A.his> birthday! <A.he> was [excited].", morning=True)
    s.say("<A.he> {ran outside|went to <B>|looked for <A.his> friends}, but {nobody said anything|nobody was there|everyone was busy}. \"{sorry, I have no time|I am busy today|maybe tomorrow},\" said <B>.",
          "<A.he> met <B.intro>. \"do you know what day it is?\" asked <A>. \"yes, it is {a busy day|market day|a cloudy day|a day like any other},\" said <B> and {went on|hurried away}.")
    s.say("<A> was [sad]. \"{they forgot my birthday|nobody remembers my birthday},\" <A.he> {thought|said}. <A.he> {sat down <spot>|walked home slowly|went for a long walk}{ and cried|}.")
    s.paragraph()
    s.say("in the evening, <A> {came home|opened the door}. it was {dark|very quiet}. {suddenly|then} the lights went on. \"surprise!\" {everyone|all <A.his> friends} {cried|shouted}. \"happy birthday, <A>!\"" if s.A.name else
          "in the evening, <A> {came home|opened the door}. it was {dark|very quiet}. {suddenly|then} the lights went on. \"surprise!\" {everyone|all <A.his> friends} {cried|shouted}. \"happy birthday!\"")
    s.say("there {was a big cake with [number] candles|were balloons and a big cake|was a table full of food}. {<B> gave <A.him> a <o>.|<A> got a <o> from <B>.}")
    s.say("\"we {did not forget|wanted to surprise you|made it all in secret},\" said <B>. <A> {laughed and cried at the same time|was [happy]|hugged everyone}.")
    s.maybe(0.6, "they {danced|sang|played games} {until late|all evening} and ate {the whole cake|a lot of cake}.")
    s.finish("it was the best birthday {ever|of all}.", "<A.he> learned that {true friends never forget|you should trust your friends}.")


def lost_way(s):
    s.begin()
    s.parent()
    s.say("\"{do not go too far|stay near the house|come home before dark},\" {said <A.his> mother|<A.his> father said|<A.his> mother always said}.")
    s.one_day("<A.he> {saw|followed} a {beautiful butterfly|white feather|[colour] butterfly|strange light|little rabbit} and {forgot the time|walked and walked|did not look back}. {soon <A.he> was far from home|then <A.he> did not know the way}.".replace("little rabbit", "little rabbit" if s.A.kind != "rabbit" else "little cloud"))
    s.say("{it was getting dark|the sun went down|the night came}. \"{where am I|how do I get home}?\" {cried|asked|whispered} <A>. <A.he> was [scared].",
          "<A> looked left and right. everything {looked the same|was strange}. {it was cold|it was getting dark}, and <A.he> {began to cry|wanted to go home}.")
    s.paragraph()
    s.meet_helper("{I am lost|I cannot find my home|I do not know the way home}")
    s.say("\"{do not cry|do not worry|I know this place well},\" said <B>. \"{follow me|come with me|I will take you home|I can see your home from here}.\"")
    s.say("they walked {under the stars|over the hill|past the <wide>|for a long time}. <B> {held a small lamp|sang a song|told a funny story}, and <A> was not afraid anymore.")
    s.say("{at last|soon|then} <A.he> saw a light. it was home! {<P>|<A.his> family} {was waiting|stood at the door}. \"{there you are|we looked for you everywhere|I was so worried}!\" <P.he> {said|cried} and {hugged|kissed} <A>.")
    s.maybe(0.7, "<A> {thanked <B>|waved to <B>}. {<B.he> got a warm supper, too.|\"good night, little friend,\" said <B>.|}")
    s.finish("after that, <A> {never went too far|always stayed near home|always looked back}.",
             "<A.he> learned that {there is no place like home|it is good to listen|even in the dark there are friends}.")


def honest(s):
    s.begin()
    owner = s.parent() if s.chance(0.6) else s.B
    s.set(W=owner, v=s.rng.choice(["vase", "cup", "plate", "window", "lamp", "clock", "mirror", "teapot", "bowl", "chair"]))
    if owner is s.B:
        s.say("<A> {was visiting|often visited} <W>.", "<A.he> liked to visit <W>{|, a [nice] old neighbour}.".replace("{|, a [nice] old neighbour}", ""))
    s.one_day("<A.he> {was playing with a ball|was jumping around|was dancing} in the {house|room|kitchen}. {crash|bang}! {suddenly |}the {big |[colour] |old |}<v> {was broken|fell down and broke}.")
    s.say("<A> was [scared]. {\"what shall I do?\" <A.he> thought.|<A.he> wanted to {run away|hide}.|it was <W.his> favourite <v>.}")
    if s.chance(0.5):
        s.say("when <W> came, <W.he> asked, \"who {broke|did this to} the <v>?\" \"{it was the wind|it was the cat|I do not know},\" said <A>. {<W> said nothing.|<W> looked at the <v>.}".replace("did this to", "broke").replace("it was the cat", "it was the rain" if s.A.kind in ("cat", "kitten") else "it was the cat"))
        s.say("but {that night <A.he> could not sleep|<A.his> heart was heavy|<A.he> felt bad}. {in the morning|at last}, <A.he> went to <W>. \"{it was me|I did it|I broke the <v>}. I am {so|very} sorry,\" <A.he> said.")
    else:
        s.say("{but <A> was honest|then <A.he> took a deep breath}. <A.he> went to <W> and said, \"I broke the <v>. I am {so|very} sorry.\"")
    s.paragraph()
    s.say("<W> {smiled|was quiet for a moment|sat down}. \"{thank you for telling the truth|I am happy that you told me|it was brave to tell the truth},\" <W.he> said. \"{a <v> is only a thing|we can fix it|everyone makes mistakes}.\"")
    s.say("together they {fixed the <v> with glue|cleaned the floor|picked up the pieces}. {now it looked even better.|it took a long time, but it was fun.|}")
    s.finish("<A.he> learned that {it is always best to tell the truth|the truth makes the heart light}.",
             "after that, <A> only played {outside|in the garden}.", "after that, <A.he> always told the truth.")


def seed(s):
    s.set(pl=s.rng.choice(["sunflower", "apple tree", "rose", "pumpkin", "bean", "tulip", "cherry tree", "strawberry plant"]))
    s.begin()
    s.one_day("<A.he> {found|got} a {tiny|small|strange|little} seed. {<B> gave it to <A.him>|it was from <B>|<A.he> found it <spot>}. \"{what will it be|what is in it|I will plant it}!\" said <A>.".replace("what will it be|what is in it|", ""))
    s.say("<A> {made a hole|dug a small hole} {in the ground|in the garden} and put the seed in it. {then <A.he> gave it water.|every day <A.he> gave it water.}")
    s.say("{the next day|the next morning}, <A.he> looked, but {there was nothing|nothing had happened|the ground was empty}. {a week went by. still nothing|day after day went by, and there was nothing}. \"{maybe it is dead|it will never grow|why does it not grow}.\" said <A>.".replace("why does it not grow", "it does not want to grow").replace(".\" said", ",\" said"),)
    s.say("\"{be patient|give it time|good things need time},\" said <B>. \"{it needs water and sun|it is growing under the ground|you have to wait}.\"",
          "the others laughed. \"{it is only a stone|nothing will grow there},\" they said. but <A> {did not give up|gave it water every day}.")
    s.paragraph()
    s.say("{one morning|after many days|in the [season]|then, one day}, there was a {tiny|small} green leaf! <A> {jumped for joy|danced around it|was [happy]}. {it grew and grew.|every day it was a little bigger.}")
    s.say({
        "sunflower": "soon it was a sunflower, {taller than <A>|yellow like the sun}.", "apple tree": "{years later|after some time}, it was an apple tree with {sweet red|big|many} apples.",
        "rose": "soon it was a red rose, and it smelled wonderful.", "pumpkin": "soon there was a {big|giant|huge} orange pumpkin.",
        "bean": "soon it was a bean plant, and it climbed {up to the roof|higher than the house}.", "tulip": "soon it was a beautiful [colour] tulip.",
        "cherry tree": "after some time, it was a cherry tree with {sweet|many} red cherries.", "strawberry plant": "soon there were {sweet|big|many} red strawberries.",
    }[s.values["pl"]])
    s.maybe(0.7, "<A> {invited all <A.his> friends|showed it to everyone|called <B>}, and they {had a party|were amazed|had a feast} {in the garden|under the sky|}.",
            "{<A> gave|<A.he> gave} {some|the best} {of it |}to <B>.".replace("{some|the best} {of it |}to <B>", "<B> a new seed"))
    s.finish("<A.he> learned {to be patient|that good things need time|that small things can grow big}.")


def small_hero(s):
    if s.A.kind in ("bear", "lion", "elephant", "giant", "dragon", "wolf", "tiger"):
        s.plot = learning
        return learning(s)
    big = s.rng.choice({"jungle": ["lion", "elephant", "tiger"], "forest": ["bear", "wolf", "giant"], "farm": ["horse", "cow", "dog"],
                        "sea": ["seal", "whale"], "mountain": ["bear", "dragon", "giant"]}.get(s.setting, ["dog", "horse", "giant"]))
    s.set(X=Being(big, s.rng.choice(["he", "she"]), adjective="big"))
    s.begin()
    s.say("<A> was {the smallest of all|very small}. \"{you are too small|you cannot do anything|go away, little one},\" said a big <X.kind>. {<A> was [sad].|everyone laughed.}",
          "a big <X.kind> {lived there too|lived nearby}. <X.he> {always laughed at|made fun of} <A>. \"{you are so small|what can you do|nobody needs you}!\" <X.he> said.".replace("what can you do|", ""))
    s.one_day("{there was a loud cry|<A.he> heard a cry for help|somebody called for help}. {the <X.kind>|it was the <X.kind>. <X.he>} " + ("{was stuck in a net|was caught in a net|was stuck between two rocks}" if s.setting == "sea" else "{was stuck in a net|was caught in a deep hole|had a thorn in <X.his> foot|was stuck between two trees}") + ".".replace("{the <X.kind>|it was the <X.kind>. <X.he>}", "the big <X.kind>"))
    s.say("{the others came, but nobody could help.|everyone {tried|pulled}, but it was no use.|nobody else was there.} \"{I can help|let me try|I will help you},\" said <A>. {\"you?\" asked the <X.kind>.|}")
    s.say("<A> was small enough to {get close|go in}. {<A.he> worked and worked|<A.he> pulled and pulled|it was hard work}, and {at last|soon} the <X.kind> was free!")
    s.paragraph()
    s.say("\"{you saved me|thank you, little friend|I was wrong},\" said the <X.kind>. \"I am sorry that I laughed at you.\" {\"that is all right,\" said <A>.|<A> smiled.}")
    s.maybe(0.6, "from then on, <X.he> carried <A> on <X.his> back.", "everyone {clapped|cheered}, and <A> was the hero of the day.",
            "there was a big {party|feast} for <A>.")
    s.finish("<A.he> learned that {even small friends can do big things|nobody is too small to help|size is not important}.",
             "after that, they were {best|good} friends.")


def bedtime(s):
    s.begin()
    s.parent()
    s.paragraph()
    s.say("{{one night|one evening|one [season] night}, it was late, but|in the middle of the night,|late at night,|it was late, and} <A> could not sleep. {the moon was {bright|round}|the night was quiet|outside the wind sang}.")
    s.say("<A.he> {counted sheep|turned left and right|looked at the stars|drank some milk}, but {it did not help|<A.he> was still awake}.")
    s.say("\"why are you not asleep?\" asked <P>. \"{I am not tired|I had a bad dream|I am thinking about tomorrow|it is too quiet},\" said <A>.")
    s.paragraph()
    s.say("<P> sat down next to <A> and {told|began} a story. \"once there was a little star,\" <P.he> {said|began}. \"it was small, but it shone for everyone.\"",
          "<P> {sat down next to|came to} <A> and sang a soft song. \"close your eyes and {listen to the wind|think of tomorrow|dream of the sea},\" <P.he> said.",
          "<P> sat down next to <A>. \"think of something nice,\" <P.he> said. \"think of a <o>.\"")
    s.say("<A> {listened|closed <A.his> eyes|smiled}. {<A.his> eyes got heavy|<A.he> became very tired|slowly, <A.he> became sleepy}. \"{good night|I love you},\" {whispered|said} <P>.")
    s.say("soon <A> was asleep. <A.he> {dreamed of {stars|a <o>|the sea|flying over the <land>}|had a beautiful dream}.")
    s.finish("and outside, the {moon|stars} {watched over <A.him>|shone all night}.")


def baking(s):
    s.parent()
    s.set(ck=s.rng.choice(["cake", "pie", "bread", "soup", "pizza"]), miss=s.rng.choice(["milk", "sugar", "flour", "butter", "honey", "salt"]))
    s.begin()
    s.one_day("<A.he> wanted to make a {big |nice |sweet |}<ck> for {<P>|<B>|all <A.his> friends}.".replace("a {big |nice |sweet |}<ck>", "a {big |nice |}<ck>" if s.values["ck"] in ("cake", "pie", "pizza") else "some <ck>"))
    s.say("<A> went into the kitchen and {looked around|took a big bowl|washed <A.his> hands}. but there was no <miss>. \"{oh no|what now}! I need <miss>,\" said <A>.")
    s.say("<A.he> went to <B>. \"do you have some <miss>?\" <A.he> asked. \"{yes, here you are|of course|I have a lot},\" said <B>. \"{may I help you|what are you making}?\" {\"yes, please!\" said <A>.|\"it is a secret,\" said <A>.}".replace("{may I help you|what are you making}?\" {\"yes, please!\" said <A>.|\"it is a secret,\" said <A>.}", "can I help you?\" \"yes, please!\" said <A>."),
          "<A.he> {ran|went} to the {shop|market}, but there was no <miss>. then <A.he> met <B.intro>. \"I have some <miss>,\" said <B>. \"you can have it.\"")
    s.paragraph()
    s.say("they {mixed|put} everything {in a bowl|together}. {there was flour on the table, on the floor and on <A.his> nose!|they laughed a lot.|soon the kitchen smelled wonderful.}")
    s.maybe(0.35, "the first <ck> was {burned|too salty}. {they laughed and tried again.|\"no problem,\" said <B>. \"we will try again.\"}")
    s.say("{at last|finally|after an hour}, the <ck> was ready. everyone {came to the table|got a piece}. \"{this is the best <ck> in the world|it is so good|I want more}!\" {they all said|said <P>}.")
    s.finish("<A.he> learned that {cooking together is fun|mistakes can be part of the fun|a gift made with love is the best}.", "there was not one crumb left.")


def market(s):
    s.begin()
    s.set(p2=s.rng.choice(["a new book", "a kite", "a toy boat", "a drum", "a red balloon", "a big cookie"]))
    s.one_day("<A.he> had {a silver coin|a coin|[number] coins}. \"{I will buy <p2>|today I can buy <p2>},\" <A.he> said and {went|walked} to the market.")
    s.say("at the market there {were many things|was so much to see}: {apples and pears|hats and shoes|bells and ribbons|bread and cheese}, {flowers|toys|honey} and {kites|books|candles}. {it was loud and full of people|everything was colourful}.".replace("full of people", "busy"))
    s.say("then <A.he> saw <B.intro>. <B.he> {looked sad|was crying|sat alone <spot>}. \"{I lost my money|I have no money for bread|I have nothing to eat},\" said <B>.")
    s.say("<A> looked at the {shop|market} and then at <B>. {it was hard to choose.|<A.he> thought for a moment.} then <A.he> {gave <B> the money|bought {warm bread|some soup|a basket of apples} for <B>}. \"{this is for you|here, take this|you need it more},\" <A.he> said.")
    s.paragraph()
    s.say("<B> {could not believe it|smiled for the first time|had tears of joy}. \"thank you! {you have a good heart|I will never forget this},\" <B.he> said.")
    s.say("{<A> went home without <p2>, but <A.he> was [happy].|<A> had no money left, but <A.his> heart was light.}",
          "{the next day|a week later}, there was a {box|bag} at <A.his> door. inside was <p2>. \"from a friend,\" said the note. {<A> smiled.|}")
    s.finish("<A.he> learned that {giving is better than getting|kindness is worth more than gold}.")


def helping_day(s):
    s.begin()
    s.one_day("<A.he> wanted to {do something good|help somebody|be helpful}.")
    s.say("first, <A.he> helped <B.intro> {carry a heavy {basket|box|bag}|find <B.his> <toy>|clean <B.his> home|pick apples}. \"thank you,\" said <B>.")
    s.say("then <A.he> helped <C.intro> {cross the <wide>|fix a broken {wheel|door|fence}|water the flowers|look for a lost {key|shoe|spoon}}. \"{how kind of you|thank you very much|you are very kind},\" said <C>.")
    s.paragraph()
    s.say("in the evening, <A> was {very tired|tired but happy}. {but <A.his> own work was not done|<A.his> own home was not clean|there was no food at home}. \"{I have to do it tomorrow|oh dear|what now},\" <A.he> said.".replace("what now", "what a day"))
    s.say("{then|just then} there was a knock at the door. it was <B> and <C>. \"{you helped us, and now we will help you|today you helped us. now it is our turn},\" they said.")
    s.say("together they {cleaned|worked|cooked dinner} and {sang|laughed}. {soon everything was done|in no time, everything was ready}. then they {ate soup|had tea and cookies|sat by the fire}.")
    s.finish("<A.he> learned that {when you help others, they help you|help comes back}.", "it was a good day for everyone.")


def season_story(s):
    s.begin()
    w = s.rng.choice(["snow", "snow", "spring", "rain", "rainbow"])
    if w == "snow":
        s.one_day("<A> {looked outside|woke up}. everything was white. \"look at the snow!\" <A.he> {cried|called}.", calm=False)
        s.say("<A.he> put on {a warm coat|a hat and a scarf|a [colour] scarf} and {ran|went} outside. {the snow was soft and cold.|the air was cold and clear.} {<B> was there already.|soon <B> came too.}")
        s.say("they {made a snowman with a carrot nose|threw snowballs|made a big snowman}. {they gave it a [colour] hat and two black stones for eyes.|it was taller than <A>.|}".replace("{they gave it", "{they gave the snowman").replace("it was taller than <A>", "they were cold but happy"))
        s.say("then they {went home and drank hot chocolate|sat by the fire with a cup of tea|ate warm soup}.")
        s.say("the next day, the sun was warm, and the snow {melted|was gone}. <A> was a little sad. \"do not be sad,\" said <B>. \"{next winter it will come back|now the flowers can grow|after the snow comes the spring}.\"")
    elif w == "spring":
        s.one_day("the sun was warm and the first flowers {came out|were there}. \"spring is here!\" said <A>.", calm=False)
        s.say("<A.he> {ran|went} to <B>. \"wake up, spring is here!\" <A.he> called. but <B> {was still asleep|was very sleepy}. \"{five more minutes|let me sleep},\" <B.he> said.")
        s.say("so <A> {sang a loud song|brought a fresh flower|opened the window}. <B> {sat up|opened one eye|smiled}. \"{what a nice smell|oh, it is so warm},\" <B.he> said{ and jumped up|}.")
        s.say("they {ran over the grass|played in the sun|picked flowers|looked for the first {bees|butterflies}} all day.")
    elif w == "rain":
        s.one_day("it was raining. {it rained and rained|it did not stop}. \"I {cannot play outside|do not like rain},\" said <A>. <A.he> was [sad].", calm=False)
        s.say("then <B> {came|knocked}. \"{come out|let us go outside|take your boots}!\" <B.he> said. \"{rain is fun|rain is just water|we can jump in the puddles}.\"")
        s.say("<A> was not sure. {then <A.he> jumped into a puddle|<A.he> put one foot into a puddle}. splash! {the water flew everywhere|<B> was wet from head to foot}. they [laughed] and {jumped again and again|danced in the rain}.")
        s.say("later, the sun came out. {there was a rainbow over the <wide>.|everything was fresh and green.}")
    else:
        s.one_day("after the rain, there was a big rainbow over the <wide>. \"I want to {catch|touch} it,\" said <A>.")
        s.say("<A.he> {ran|walked} and {ran|walked}, but the rainbow was always {far away|behind the next hill}. <A.he> met <B.intro>. \"nobody can {catch|touch} a rainbow,\" said <B>. \"but {you can paint one|everyone can look at it|I can show you something}.\"")
        s.say("so they {took paper and paint|sat down with seven colours} and painted a rainbow with red, orange, yellow, green, blue and purple. {it was beautiful|it looked like the real one}.")
        s.say("<A> {hung the picture over <A.his> bed|gave the picture to <A.his> mother}. {now <A.he> had a rainbow every day.|}")
    s.paragraph()
    s.finish("<A.he> learned that {every day has something good|every season is beautiful|fun is everywhere}.", "they were {tired but happy|very happy}.")


def learning(s):
    talents = words.TALENTS
    if s.A.kind in ("bird", "owl", "parrot", "bee", "butterfly"):
        talents = talents[:5] + talents[9:]
    t = s.rng.choice(talents)
    s.set(t=t)
    s.begin()
    s.say("<A> {wanted|wanted very much} to {learn to <t>|<t>}. but {it was hard|<A.he> did not know how|<A.he> was not very good at it}.".replace("to {learn to <t>|<t>}", "to learn how to <t>"))
    s.one_day("<A.he> saw <B.intro>. <B> could <t> very well. \"{can you teach me|please teach me|will you show me how to do it}!\" said <A>.".replace("can you teach me|", "").replace("will you show me how to do it", "please show me how to do it"))
    s.say("\"{yes, but it takes time|of course|gladly},\" said <B>. \"{you must practise every day|first you have to listen|start slowly}.\"")
    s.say("so <A> practised {every day|day and night|for a whole week}. {at first, everything went wrong|the first time it was terrible|at first, everyone laughed}. {<A.he> wanted to give up|\"I will never learn it,\" <A.he> said|<A.he> was [sad]}. \"{try once more|do not give up|one more time},\" said <B>.")
    s.paragraph()
    s.say("<A> tried {again|once more|again and again}. and {then|one day|suddenly} it worked! \"{look, I can do it|I can <t>|I did it}!\" {cried|called} <A>. <B> {clapped|smiled|was proud}.")
    s.maybe(0.6, "in the evening, <A> {showed it to everyone|showed <A.his> family}. {they were amazed|everyone clapped}.",
            "now <A> could teach {<C>|others}, too.")
    s.finish("<A.he> learned that {practice makes it easy|you can learn anything if you try|nobody is born a master}.")


PLOTS = [lost_thing, new_friend, fear, sharing, hurt_animal, contest, magic, journey, storm, building, birthday, lost_way,
         honest, seed, small_hero, bedtime, baking, market, helping_day, season_story, learning]


STRAIGHT = [sharing, hurt_animal, contest, magic, storm, building, birthday, honest, seed, market, helping_day, season_story]


def story(rng, **wishes):
    """One story. wishes: kind, name, thing or plot that it has to have."""
    return Story(rng, **wishes).tell()
