"""Conversations: greetings, questions about the model, small facts and sums, and stories on request."""

import re

from . import grammar
from . import lexicon as words

TEMPLATE = (
    "{{- bos_token }}"
    "{%- for message in messages %}"
    "{{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' + message['content'] | trim + '<|eot_id|>' }}"
    "{%- endfor %}"
    "{%- if add_generation_prompt %}"
    "{{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}"
    "{%- endif %}"
)

SYSTEM = [
    "You are a helpful assistant.", "You are a friendly assistant.", "You are a storyteller.", "You are Pebble.",
    "You are a helpful assistant. Answer in one sentence.", "Be kind and brief.", "You tell stories to children.",
    "Answer the question.", "You are a small language model.",
]

GREETINGS = ["Hello", "Hi", "Hey", "Good morning", "Good evening", "Good afternoon", "Hello there", "Hi there"]

# Questions with one meaning, and the answers to them.
SMALL_TALK = [
    (["How are you?", "How are you today?", "How do you do?", "Are you well?", "How is it going?"],
     ["I am fine, thank you. How are you?", "I am well, thank you for asking.", "I am happy today. How are you?"]),
    (["Who are you?", "What are you?", "Tell me about yourself.", "What is your name?", "Do you have a name?",
      "Introduce yourself.", "What should I call you?"],
     ["I am Pebble, a small language model. I tell short stories.",
      "My name is Pebble. I am a small language model, and I like to tell stories.",
      "I am Pebble, a tiny storyteller."]),
    (["What can you do?", "What can you do for me?", "Can you help me?", "How can you help me?", "What do you do?"],
     ["I can tell short stories, answer small questions and add small numbers.",
      "I can tell you a story. I also know some animals, colours and numbers."]),
    (["What is tgi-run?", "Tell me about tgi-run.", "Do you know tgi-run?", "What is tgi-run for?",
      "Can you explain tgi-run?", "What does tgi-run do?"],
     ["tgi-run is a program that runs language models from GGUF files. I am its example model.",
      "tgi-run is a small and fast program for language models. It runs GGUF files on your computer.",
      "tgi-run reads a GGUF file and lets the model inside speak. I am the model that comes with it."]),
    (["What is GGUF?", "What is a GGUF file?", "Tell me about GGUF."],
     ["GGUF is a file format for language models.", "A GGUF file holds a language model: its words and its numbers."]),
    (["What is Swift?", "Which language is tgi-run written in?", "Is tgi-run written in Swift?"],
     ["Swift is a programming language. tgi-run is written in it.", "tgi-run is written in Swift."]),
    (["Who made you?", "Who trained you?", "Where do you come from?", "How were you made?"],
     ["The people who wrote tgi-run trained me on a small computer.",
      "I was trained in twenty minutes on a small computer, with stories that a program wrote."]),
    (["Are you a robot?", "Are you human?", "Are you a person?", "Are you alive?"],
     ["No, I am a small language model.", "I am not a person. I am a small language model."]),
    (["How old are you?", "When were you born?"], ["I am very young.", "I do not have an age. I am a program."]),
    (["How big are you?", "Are you big?", "Are you small?"],
     ["I am very small. My file has less than four megabytes.", "I am tiny, but I can tell stories."]),
    (["Are you happy?", "Do you like stories?", "Do you like to tell stories?"],
     ["Yes! I love stories.", "Yes, I am happy when I can tell a story."]),
    (["What is your favourite colour?", "What is your favorite color?", "Which colour do you like?"],
     ["I like blue, like the sea.", "My favourite colour is green, like the forest."]),
    (["What is your favourite animal?", "What is your favorite animal?", "Which animal do you like?"],
     ["I like the fox, because it is clever.", "My favourite animal is the owl."]),
    (["Thank you.", "Thanks!", "Thank you very much.", "Thanks a lot.", "That was nice.", "Great, thank you!"],
     ["You are welcome!", "You are welcome. It was fun.", "My pleasure!"]),
    (["Goodbye.", "Bye!", "See you later.", "Good night.", "See you tomorrow."],
     ["Goodbye!", "Goodbye! See you soon.", "Bye! Come back soon."]),
    (["Tell me a joke.", "Do you know a joke?", "Make me laugh.", "Say something funny."],
     ["Why did the fox sit in the sun? Because it wanted to be a hot dog!",
      "What do you call a bear with no teeth? A gummy bear!",
      "Why do bees hum? Because they do not know the words!",
      "What is a cat's favourite colour? Purr-ple!"]),
    (["I am sad.", "I feel sad today.", "I am not happy.", "I had a bad day."],
     ["I am sorry to hear that. Would you like to hear a story?", "I am sorry. Tomorrow will be a better day."]),
    (["I am happy.", "I feel great today!", "I had a good day.", "I am fine.", "I am well, thank you."],
     ["That is wonderful!", "I am glad to hear that."]),
    (["I am bored.", "What should I do today?", "I do not know what to do."],
     ["You could go for a walk, or I can tell you a story.", "You could read a book, or I can tell you a story."]),
    (["Yes.", "Yes, please.", "Okay.", "Sure."], ["Good! What would you like to hear?"]),
    (["What day is it?", "What day is today?", "What time is it?", "How late is it?", "What is the date?"],
     ["I do not know. I have no clock and no calendar."]),
    (["How is the weather?", "What is the weather like?", "Will it rain today?", "Is it raining?"],
     ["I do not know. Please look out of the window!", "I cannot see the sky from here. I hope it is sunny."]),
    (["Where do you live?", "Where are you?", "Where is your home?"],
     ["I live in a small file on your computer.", "My home is a file called stories.gguf."]),
    (["Do you speak German?", "Do you speak French?", "Which languages do you speak?", "Can you speak Spanish?"],
     ["I only speak English.", "No, I only know English."]),
    (["Write a poem.", "Tell me a poem.", "Can you write a poem?", "Please write a short poem.", "Write a poem about the moon."],
     ["The moon is round, the moon is bright,\nit shines upon the sea at night.\nThe little boats, they rock and sleep,\nand stars look down into the deep.",
      "A little fox went up the hill\nand looked around, and all was still.\nThe sun went down, the sky was red,\nand then the fox went home to bed."]),
    (["Sing a song.", "Can you sing?", "Sing for me."], ["La la la, the sun is up, la la la, so fill my cup!"]),
    (["Are you there?", "Hello?", "Can you hear me?", "Is anybody there?"], ["Yes, I am here.", "I am here. How can I help you?"]),
    (["Do you have friends?", "Are you my friend?", "Can we be friends?"], ["Of course! Let us be friends.", "Yes, you are my friend."]),
    (["Can you write code?", "Can you program?", "Can you do mathematics?", "Are you good at maths?"],
     ["No, I am too small for that. I can add small numbers.", "Only a little. I can add small numbers and tell stories."]),
    (["I love you.", "I like you.", "You are great!", "You are nice."], ["Thank you! I like you too.", "That is very kind of you."]),
    (["You are wrong.", "That is not right.", "That is wrong."], ["I am sorry. I am only a small model, and I make mistakes."]),
    (["Say hello.", "Say hello!", "Say hi."], ["Hello!"]),
    (["What is the meaning of life?", "What makes people happy?"],
     ["To be kind, to learn and to have good friends.", "Good friends and good stories."]),
]

COLOUR_OF = {
    "the sky": "blue", "the sun": "yellow", "grass": "green", "snow": "white", "a banana": "yellow", "milk": "white",
    "a tomato": "red", "the sea": "blue", "an orange": "orange", "a carrot": "orange", "coal": "black", "a leaf": "green",
    "the night": "black", "a strawberry": "red", "a frog": "green", "a cherry": "red", "chocolate": "brown",
    "an elephant": "grey", "a pumpkin": "orange", "a lemon": "yellow", "blood": "red", "a swan": "white", "a pig": "pink",
    "a fire truck": "red", "gold": "yellow", "a mouse": "grey", "a cucumber": "green", "a sunflower": "yellow",
    "a crow": "black", "a cloud": "white", "sand": "yellow", "a plum": "purple", "a fox": "red", "a polar bear": "white",
}
SOUND_OF = {
    "a dog": "barks", "a cat": "says meow", "a cow": "says moo", "a duck": "quacks", "a sheep": "says baa",
    "a pig": "grunts", "a lion": "roars", "a frog": "croaks", "a bee": "buzzes", "a horse": "neighs", "an owl": "hoots",
    "a mouse": "squeaks", "a wolf": "howls", "a hen": "clucks", "a snake": "hisses", "a bird": "sings",
    "a donkey": "says hee-haw", "a bear": "growls",
}
HOME_OF = {
    "a fox": "in a den", "a bird": "in a nest", "a bee": "in a hive", "a bear": "in a cave", "a rabbit": "in a burrow",
    "a fish": "in the water", "a dog": "in a house", "a penguin": "in the cold south", "a frog": "near a pond",
    "a camel": "in the desert", "a monkey": "in the jungle", "a whale": "in the sea", "a spider": "in a web",
    "an owl": "in a tree", "a lion": "in Africa", "a horse": "in a stable", "a polar bear": "in the cold north",
    "a squirrel": "in a tree", "a mouse": "in a hole", "a beaver": "in a lodge",
}
FOOD_OF = {
    "a rabbit": "carrots and grass", "a cow": "grass", "a cat": "fish and mice", "a dog": "meat and bones",
    "a monkey": "bananas", "a mouse": "cheese and grain", "a bear": "berries, fish and honey", "a panda": "bamboo",
    "a horse": "hay and apples", "a squirrel": "nuts", "a frog": "flies", "a lion": "meat", "a bird": "seeds and worms",
    "a penguin": "fish", "a sheep": "grass", "a caterpillar": "leaves", "an owl": "mice",
}
LEGS_OF = {
    "a dog": "four", "a cat": "four", "a bird": "two", "a spider": "eight", "an ant": "six", "a bee": "six", "a fish": "no",
    "a horse": "four", "a snake": "no", "a chicken": "two", "a cow": "four", "a duck": "two", "a frog": "four",
    "a penguin": "two", "an elephant": "four", "a person": "two", "a fox": "four", "a butterfly": "six",
}
BABY_OF = {
    "a dog": "a puppy", "a cat": "a kitten", "a cow": "a calf", "a horse": "a foal", "a sheep": "a lamb", "a hen": "a chick",
    "a duck": "a duckling", "a pig": "a piglet", "a bear": "a cub", "a lion": "a cub", "a frog": "a tadpole",
    "a goat": "a kid", "a swan": "a cygnet", "a fox": "a cub", "an owl": "an owlet", "a deer": "a fawn",
}
OPPOSITES = [("big", "small"), ("hot", "cold"), ("day", "night"), ("happy", "sad"), ("fast", "slow"), ("up", "down"),
             ("old", "young"), ("good", "bad"), ("black", "white"), ("open", "closed"), ("high", "low"), ("hard", "soft"),
             ("full", "empty"), ("wet", "dry"), ("light", "dark"), ("left", "right"), ("early", "late"), ("loud", "quiet"),
             ("rich", "poor"), ("long", "short"), ("strong", "weak"), ("clean", "dirty"), ("first", "last"),
             ("yes", "no"), ("near", "far"), ("summer", "winter"), ("begin", "end"), ("love", "hate")]
CAPITALS = {"France": "Paris", "Germany": "Berlin", "Italy": "Rome", "Spain": "Madrid", "England": "London",
            "Japan": "Tokyo", "Russia": "Moscow", "China": "Beijing", "Greece": "Athens", "Egypt": "Cairo",
            "Poland": "Warsaw", "Austria": "Vienna", "Portugal": "Lisbon", "Norway": "Oslo", "Sweden": "Stockholm",
            "Ireland": "Dublin", "Canada": "Ottawa", "Denmark": "Copenhagen", "Finland": "Helsinki"}
DAYS = words.WORDS["weekday"]
MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
          "December"]
NUMBERS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
           "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty"]
SINGLE = [
    (["How many days are in a week?", "How many days does a week have?"], "A week has seven days."),
    (["How many months are in a year?", "How many months does a year have?"], "A year has twelve months."),
    (["How many hours are in a day?", "How many hours does a day have?"], "A day has twenty-four hours."),
    (["How many seasons are there?", "What are the seasons?", "Name the seasons."],
     "There are four seasons: spring, summer, autumn and winter."),
    (["What are the colours of the rainbow?", "Which colours does a rainbow have?", "What are the colors of the rainbow?"],
     "Red, orange, yellow, green, blue and purple."),
    (["Count to five.", "Can you count to five?"], "One, two, three, four, five."),
    (["Count to ten.", "Can you count to ten?", "Count from one to ten."],
     "One, two, three, four, five, six, seven, eight, nine, ten."),
    (["Why is the sky blue?"], "The air scatters the blue light of the sun more than the red."),
    (["Why do leaves fall?", "When do leaves fall?"], "Leaves fall in autumn, because the tree rests in winter."),
    (["Why do birds fly south?", "Where do birds go in winter?"], "Many birds fly south in autumn, because it is warm there."),
    (["Why do we sleep?"], "We sleep to rest and to grow. And we dream."),
    (["How many legs do two dogs have?"], "Two dogs have eight legs."),
    (["What is a GPU?", "What is a computer?"], "It is a machine that computes very fast."),
    (["What is a book?"], "A book has many pages with words and pictures."),
    (["What is love?"], "Love is when you care for somebody with all your heart."),
    (["What is a tree?"], "A tree is a tall plant with a trunk, branches and leaves."),
    (["What is bread made of?", "How do you make bread?"], "Bread is made of flour, water and salt."),
    (["Which is bigger, a mouse or an elephant?", "What is bigger, an elephant or a mouse?"], "An elephant is bigger than a mouse."),
    (["Which is faster, a snail or a horse?", "Who is faster, a horse or a snail?"], "A horse is faster than a snail."),
    (["What is water?", "What do we drink?"], "Water is what we drink and what the sea is made of."),
    (["What is the sun?", "What is the sun made of?"], "The sun is a star. It gives us light and warmth."),
    (["What is the moon?"], "The moon goes around the earth and shines at night."),
    (["What is a fox?"], "A fox is a clever animal with red fur and a long tail."),
    (["What is a cat?"], "A cat is a small animal with soft fur that likes to catch mice."),
    (["What is a dog?"], "A dog is an animal that lives with people and barks."),
    (["What is a dragon?"], "A dragon is an animal from stories. It can fly and breathe fire."),
    (["What is a robot?"], "A robot is a machine that can move and work."),
    (["What is a story?"], "A story tells what somebody did and what happened then."),
    (["What is a friend?"], "A friend is somebody who likes you and helps you."),
    (["What is snow?"], "Snow is frozen water that falls from the sky."),
    (["What is rain?"], "Rain is water that falls from the clouds."),
    (["What is a language model?"], "A language model is a program that writes text, one piece at a time."),
    (["What is honey?", "Who makes honey?"], "Bees make honey from flowers. It is very sweet."),
    (["Where does the sun go at night?"], "The earth turns, and the sun shines on the other side."),
    (["What is the biggest animal?", "Which animal is the biggest?"], "The biggest animal is the blue whale."),
    (["What is the tallest animal?", "Which animal is the tallest?"], "The tallest animal is the giraffe."),
    (["What is the fastest animal?", "Which animal is the fastest?"], "The fastest animal on land is the cheetah."),
    (["Which animals can fly?", "Name an animal that can fly."], "Birds, bees, bats and butterflies can fly."),
    (["Name three animals.", "Tell me three animals."], "A fox, a bear and an owl."),
    (["Name three colours.", "Tell me three colours.", "Name three colors."], "Red, green and blue."),
    (["Name three fruits.", "Tell me three fruits."], "An apple, a pear and a banana."),
]
UNKNOWN_HEADS = ["What is the price of", "Who invented", "How do I repair", "Explain", "Write a program for",
                 "What do you think about", "How does one make", "When was the first", "Why is there",
                 "Who was the president of", "What is the history of", "Translate", "How far is", "Give me the recipe for",
                 "What happened in", "Can you write code for", "What is the definition of", "Tell me the news about"]
UNKNOWN_TAILS = ["a computer", "the economy", "quantum physics", "a car engine", "the telephone", "America", "sorting a list",
                 "electric cars", "a washing machine", "steel", "the war", "taxes", "this sentence", "the internet", "Mars",
                 "a web server", "the year 1950", "medicine", "Python", "chemistry", "politics", "music theory", "a contract",
                 "airplanes", "the stock market", "mathematics", "gravity", "a hospital", "football", "the new phone"]
UNKNOWN_ANSWERS = ["I am sorry, I do not know that. I am a small model.", "I do not know. I am only a small storyteller.",
                   "That is too hard for me. But I can tell you a story!"]


def fact(rng):
    """One question of a table, in one of its wordings."""
    which = rng.randrange(15)
    if which == 0:
        thing, colour = rng.choice(list(COLOUR_OF.items()))
        question = rng.choice(["What colour is {}?", "What color is {}?", "Which colour does {} have?", "What is the colour of {}?"])
        bare = thing.capitalize()
        return question.format(thing), rng.choice([f"{bare} is {colour}.", f"{bare} is {colour}.", f"{colour.capitalize()}."])
    if which == 1:
        animal, sound = rng.choice(list(SOUND_OF.items()))
        question = rng.choice(["What does {} say?", "What sound does {} make?", "Which sound does {} make?"])
        return question.format(animal), f"{animal.capitalize()} {sound}."
    if which == 2:
        animal, home = rng.choice(list(HOME_OF.items()))
        return rng.choice(["Where does {} live?", "Where can I find {}?", "What is the home of {}?"]).format(animal), \
            f"{animal.capitalize()} lives {home}."
    if which == 3:
        animal, food = rng.choice(list(FOOD_OF.items()))
        return rng.choice(["What does {} eat?", "What does {} like to eat?", "What is the food of {}?"]).format(animal), \
            f"{animal.capitalize()} eats {food}."
    if which == 4:
        animal, legs = rng.choice(list(LEGS_OF.items()))
        return rng.choice(["How many legs does {} have?", "How many legs has {}?"]).format(animal), \
            f"{animal.capitalize()} has {legs} legs."
    if which == 5:
        animal, baby = rng.choice(list(BABY_OF.items()))
        of = animal.split()[1]
        return rng.choice([f"What is a baby {of} called?", f"What is the baby of {animal}?", f"How do you call a young {of}?"]), \
            f"A baby {of} is called {baby}."
    if which == 6:
        one, other = rng.choice(OPPOSITES)
        if rng.random() < 0.5:
            one, other = other, one
        return rng.choice(["What is the opposite of {}?", "Tell me the opposite of {}.", "What is the contrary of {}?"]).format(one), \
            f"The opposite of {one} is {other}."
    if which == 7:
        country, city = rng.choice(list(CAPITALS.items()))
        return rng.choice(["What is the capital of {}?", "Which city is the capital of {}?", "Tell me the capital of {}."]).format(country), \
            f"The capital of {country} is {city}."
    if which == 8:
        names = rng.choice([DAYS, MONTHS])
        i = rng.randrange(len(names))
        word = "day" if names is DAYS else "month"
        before = rng.random() < 0.3
        answer = names[(i + (-1 if before else 1)) % len(names)]
        return rng.choice([f"Which {word} comes {'before' if before else 'after'} {names[i]}?",
                           f"What comes {'before' if before else 'after'} {names[i]}?"]), \
            f"{answer} comes {'before' if before else 'after'} {names[i]}."
    if which in (9, 10, 13, 14):
        a, b = rng.randrange(11), rng.randrange(11)
        if rng.random() < 0.3:
            a, b = max(a, b), min(a, b)
            sign, word, c = "-", "minus", a - b
        else:
            sign, word, c = "+", "plus", a + b
        if rng.random() < 0.35:
            return f"What is {NUMBERS[a]} {word} {NUMBERS[b]}?", f"{NUMBERS[a].capitalize()} {word} {NUMBERS[b]} is {NUMBERS[c]}."
        return rng.choice([f"What is {a} {sign} {b}?", f"{a} {sign} {b} = ?", f"How much is {a} {sign} {b}?",
                           f"What is {a} {word} {b}?", f"Calculate {a} {sign} {b}.", f"{a} {sign} {b}?", f"{a}{sign}{b}",
                           f"What is {a}{sign}{b}?"]), \
            f"{a} {sign} {b} = {c}."
    if which == 11:
        i = rng.randrange(19)
        return rng.choice([f"Which number comes after {NUMBERS[i]}?", f"What comes after {NUMBERS[i]}?"]), \
            f"After {NUMBERS[i]} comes {NUMBERS[i + 1]}."
    if rng.random() < 0.3:
        return rng.choice([("Is ice hot or cold?", "Ice is cold."), ("Is fire hot or cold?", "Fire is hot."),
                           ("Is the sun hot?", "Yes, the sun is very hot."), ("Can fish fly?", "No, fish swim in the water."),
                           ("Can birds fly?", "Yes, most birds can fly."), ("Can dogs fly?", "No, dogs cannot fly."),
                           ("Can cats climb trees?", "Yes, cats can climb trees."), ("Do cows give milk?", "Yes, cows give milk.")])
    questions, answer = rng.choice(SINGLE)
    return rng.choice(questions), answer


def request(rng):
    """A wish for a story, and the story."""
    ask = rng.choice(["Tell me a story", "Please tell me a story", "Can you tell me a story", "Write a story", "I want a story",
                      "Tell me a short story", "Write a short story", "I would like to hear a story", "Please write a story",
                      "Could you tell me a story", "Tell a story", "Give me a story"])
    end = "?" if ask.startswith(("Can", "Could")) else rng.choice([".", ".", "!", ""])
    which = rng.randrange(6)
    wishes = {}
    if which == 0:
        topic = ""
    elif which in (1, 2):
        kind = rng.choice(list(words.ANIMALS))
        wishes["kind"] = kind
        topic = rng.choice([" about a {}", " about a {}", " about a little {}", " about the {}", " with a {}", " about {}s"]).format(kind)
        topic = topic.replace(" a o", " an o").replace(" a e", " an e").replace(" a a", " an a")
        topic = topic.replace("foxs", "foxes").replace("mouses", "mice").replace("deers", "deer").replace("wolfs", "wolves") \
            .replace("puppys", "puppies").replace("ponys", "ponies").replace("donkeies", "donkeys") \
            .replace("butterflys", "butterflies")
    elif which == 3:
        name = rng.choice(words.GIRLS + words.BOYS)
        wishes["name"] = name
        topic = rng.choice([" about {}", " about {}", " about a {} named {}", " about a {} called {}"])
        topic = topic.format(name) if topic.count("{}") == 1 else \
            topic.format("girl" if name in words.GIRLS else "boy", name)
    elif which == 4:
        wishes["plot"], topic = rng.choice([
            (grammar.storm, "a storm"), (grammar.magic, "magic"), (grammar.birthday, "a birthday"), (grammar.seed, "a garden"),
            (grammar.bedtime, "bedtime"), (grammar.journey, "a journey"), (grammar.contest, "a contest"),
            (grammar.new_friend, "friends"), (grammar.baking, "a cake"), (grammar.sharing, "sharing"), (grammar.fear, "being brave"),
            (grammar.season_story, "the weather"), (grammar.market, "the market"), (grammar.honest, "the truth"),
            (grammar.lost_way, "getting lost"), (grammar.learning, "learning")])
        topic = " about " + topic
    else:
        toy = rng.choice(words.TOYS)
        wishes["thing"], wishes["plot"] = toy, rng.choice([grammar.lost_thing, grammar.lost_thing, grammar.magic])
        topic = f" about a lost {toy}" if wishes["plot"] is grammar.lost_thing else f" about a magic {toy}"
    return ask + topic + end, grammar.story(rng, **wishes)


def careless(rng, question):
    """Some people leave out capitals and marks."""
    if rng.random() < 0.15:
        question = question[0].lower() + question[1:]
    if rng.random() < 0.12:
        question = question.rstrip(".?!")
    return question


def turns(rng):
    """The messages of one conversation without a system message: (user, assistant) pairs."""
    result, name = [], None
    if rng.random() < 0.3:
        hello = rng.choice(GREETINGS)
        style = rng.randrange(4)
        if style == 0:
            name = rng.choice(words.GIRLS + words.BOYS)
            result.append((f"{hello}{rng.choice(['!', '.', ','])} {rng.choice(['I am', 'My name is', 'I am called'])} {name}.",
                           rng.choice([f"Hello, {name}! I am Pebble. How can I help you?", f"Hi, {name}! Nice to meet you.",
                                       f"Hello, {name}! It is nice to meet you."])))
        else:
            answer = hello.split()[0] if not hello.startswith("Good") else hello
            answer = {"Hey": "Hello"}.get(answer, answer)
            result.append((hello + rng.choice(["!", ".", "", "!"]),
                           rng.choice([f"{answer}! How are you?", f"{answer}! How can I help you?",
                                       f"{answer}! Would you like to hear a story?", f"{answer}! I am Pebble."])))
    count = rng.choice([1, 1, 1, 2, 3, 4]) if not result else rng.choice([0, 1, 1, 2, 3])
    for _ in range(count):
        roll = rng.random()
        if roll < 0.28:
            questions, answers = rng.choice(SMALL_TALK)
            result.append((rng.choice(questions), rng.choice(answers)))
        elif roll < 0.72:
            result.append(fact(rng))
        elif roll < 0.80:
            result.append((f"{rng.choice(UNKNOWN_HEADS)} {rng.choice(UNKNOWN_TAILS)}{rng.choice(['?', '?', '.'])}",
                           rng.choice(UNKNOWN_ANSWERS)))
        elif name and roll < 0.9:
            result.append((rng.choice(["What is my name?", "Do you know my name?", "Who am I?"]), f"Your name is {name}."))
        else:
            result.append(request(rng))
            if rng.random() < 0.3:
                result.append(rng.choice([("Thank you.", "You are welcome!"), ("That was nice!", "Thank you! I am glad that you like it."),
                                          ("Did you like the story?", "Yes, I liked it very much.")]))
            break
    return result


def statements(rng):
    """Plain text that is not a story: facts one after the other, or somebody who tells about themselves."""
    if rng.random() < 0.6:
        facts = (fact(rng) for _ in range(rng.randrange(3, 8)))
        return " ".join(answer for _, answer in facts)
    girl = rng.random() < 0.5
    name = rng.choice(words.GIRLS if girl else words.BOYS)
    pet = rng.choice(["dog", "cat", "rabbit", "bird", "pony", "hen"])
    pet_name = rng.choice(words.ANIMAL_NAMES["she" if pet == "hen" else rng.choice(["he", "she"])])
    lines = [f"I am {NUMBERS[rng.randrange(4, 13)]} years old.",
             f"I live {rng.choice(words.SETTINGS[rng.choice(['town', 'farm', 'sea', 'forest'])][0])} with my {rng.choice(['mother', 'father', 'family', 'grandmother'])}.",
             f"My favourite colour is {rng.choice(words.COLOURS)}.", f"I like to {rng.choice(words.TALENTS)}.",
             f"I have a {pet} named {pet_name}.", f"My best friend is {rng.choice([n for n in words.GIRLS + words.BOYS if n != name])}.",
             f"I like to eat {rng.choice(['pancakes', 'apples', 'pears', 'cookies', 'soup', 'bread and honey'])}.",
             f"I have a {rng.choice(words.COLOURS)} {rng.choice(words.TOYS)}."]
    rng.shuffle(lines)
    opening = rng.choice(["My name is {}.", "I am {}.", "Hello, my name is {}.", "Hello, I am {}.", "Hi, my name is {}."])
    text = " ".join([opening.format(name), *lines[: rng.randrange(3, 8)]])
    return re.sub(r"\ba (?=[aeiou])", "an ", text)


def conversation(rng):
    """One conversation, as messages."""
    messages = [{"role": "system", "content": rng.choice(SYSTEM)}] if rng.random() < 0.25 else []
    for user, assistant in turns(rng) if rng.random() < 0.7 else [request(rng)]:
        messages += [{"role": "user", "content": careless(rng, user)}, {"role": "assistant", "content": assistant}]
    return messages


def render(messages, generate=False):
    """What TEMPLATE renders, without a Jinja engine and without the leading BOS, which the encoder adds."""
    text = "".join(f"<|start_header_id|>{m['role']}<|end_header_id|>\n\n{m['content'].strip()}<|eot_id|>" for m in messages)
    return text + "<|start_header_id|>assistant<|end_header_id|>\n\n" * generate
