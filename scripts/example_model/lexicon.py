"""The words of the corpus: who can appear, where, with what."""

GIRLS = """Lily Mia Emma Anna Sara Lucy Nora Rosa Ella Ruby Maya Zoe Ivy Clara Alice Hanna Nina Lena Molly Daisy
June Grace Amy Kate Eva Lola""".split()
BOYS = """Tom Ben Max Leo Sam Jack Tim Oscar Finn Noah Henry Hugo Adam Luke Paul Peter Otto Eli Theo Felix
Billy Ned Dan Omar Jonas Emil""".split()
ANIMAL_NAMES = {
    "she": "Luna Poppy Hazel Willow Pearl Coco Mimi Dotty Tilly Fern Olive Penny Bella Honey Clover Misty".split(),
    "he": "Rusty Bruno Pip Toby Oliver Charlie Milo Teddy Barney Gus Archie Monty Jasper Biscuit Sunny Alfie".split(),
}

# kind: (settings where it lives, its home, what it likes to eat)
ANIMALS = {
    "fox": ("forest meadow", "den", "berry"),
    "rabbit": ("forest meadow", "burrow", "carrot"),
    "bear": ("forest mountain", "cave", "honey cake"),
    "squirrel": ("forest", "tree", "nut"),
    "hedgehog": ("forest meadow", "nest of leaves", "mushroom"),
    "owl": ("forest", "tree", "nut cake"),
    "mouse": ("forest farm town", "hole", "cookie"),
    "deer": ("forest", "clearing", "apple"),
    "badger": ("forest", "burrow", "mushroom"),
    "wolf": ("forest mountain", "den", "pie"),
    "bird": ("forest meadow farm", "nest", "berry"),
    "frog": ("pond", "house", "berry"),
    "duck": ("pond farm", "nest", "corn cake"),
    "turtle": ("pond sea", "hole", "leaf"),
    "beaver": ("pond", "lodge", "apple"),
    "otter": ("pond sea", "den", "berry"),
    "swan": ("pond", "nest", "corn cake"),
    "snail": ("meadow", "shell", "leaf"),
    "bee": ("meadow", "hive", "honey cake"),
    "butterfly": ("meadow", "garden", "berry"),
    "ant": ("meadow", "hill", "cookie"),
    "pig": ("farm", "barn", "apple"),
    "lamb": ("farm meadow", "barn", "leaf"),
    "pony": ("farm", "stable", "apple"),
    "goat": ("farm mountain", "shed", "pear"),
    "hen": ("farm", "coop", "corn cake"),
    "donkey": ("farm", "stable", "carrot"),
    "puppy": ("farm town", "basket", "bone"),
    "kitten": ("farm town", "basket", "fish cake"),
    "cat": ("town farm", "house", "fish cake"),
    "dog": ("town farm", "house", "bone"),
    "robot": ("town", "workshop", "cookie"),
    "crab": ("sea", "hole", "sandwich"),
    "seal": ("sea", "cave", "fish cake"),
    "penguin": ("sea", "nest", "fish cake"),
    "dragon": ("mountain", "cave", "pie"),
    "giant": ("mountain", "cave", "pie"),
    "monkey": ("jungle", "tree", "banana"),
    "elephant": ("jungle", "clearing", "banana"),
    "lion": ("jungle", "den", "pie"),
    "tiger": ("jungle", "den", "pie"),
    "parrot": ("jungle", "nest", "nut"),
    "zebra": ("jungle", "clearing", "apple"),
}
FLYING = {"owl", "bird", "bee", "butterfly", "parrot", "dragon"}
SWIMMING = {"frog", "duck", "turtle", "beaver", "otter", "swan", "seal", "penguin", "crab"}

# name: where one lives there; spots to look at; what one hears or smells; a path; a wide thing to cross
SETTINGS = {
    "forest": (
        ["in the forest", "in a quiet forest", "in a green forest", "at the edge of the forest", "deep in the forest"],
        ["behind the old oak tree", "under the bushes", "near the stream", "next to the big rock", "in the tall grass",
         "under the fallen leaves", "inside a hollow log", "between the roots of a tree"],
        "forest", "river",
    ),
    "meadow": (
        ["in a sunny meadow", "in a wide green meadow", "near a field of flowers", "at the end of the meadow"],
        ["among the flowers", "behind the hedge", "under a big leaf", "in the tall grass", "next to the stone wall",
         "beside the little path", "near the old fence"],
        "meadow", "stream",
    ),
    "pond": (
        ["near a quiet pond", "by a blue lake", "at a pond in the forest", "next to a clear pond"],
        ["behind the reeds", "under a lily pad", "next to the old bridge", "on the muddy bank", "under the willow tree",
         "between the stones", "near the little boat"],
        "pond", "lake",
    ),
    "farm": (
        ["on a farm", "on a small farm", "on a farm near the hills", "on an old farm"],
        ["behind the barn", "under the cart", "in the hay", "next to the well", "in the vegetable garden",
         "under the apple tree", "near the gate"],
        "farm", "field",
    ),
    "town": (
        ["in a small town", "in a little village", "in a town near the sea", "in a house with a red door",
         "in a busy town"],
        ["under the bed", "behind the door", "under the table", "in the garden", "next to the bench in the park",
         "near the fountain", "behind the bakery", "in the kitchen"],
        "town", "park",
    ),
    "sea": (
        ["near the sea", "by the sea", "on a small island", "at a beach with white sand"],
        ["behind a sandy hill", "under a shell", "between the rocks", "next to the old boat", "near the lighthouse",
         "in a little cave", "under the wooden bridge"],
        "beach", "bay",
    ),
    "mountain": (
        ["on a high mountain", "in the mountains", "in a valley between two mountains", "near the top of a mountain"],
        ["behind a big rock", "in a dark cave", "under the pine tree", "next to the waterfall", "near the cliff",
         "in the soft snow", "beside the stony path"],
        "mountain", "valley",
    ),
    "jungle": (
        ["in the jungle", "in a warm jungle", "in a jungle full of tall trees"],
        ["under a giant leaf", "behind the waterfall", "next to the muddy river", "in the tall grass",
         "under the banana tree", "between the vines", "near the old stones"],
        "jungle", "river",
    ),
}

COLOURS = "red blue green yellow white brown purple orange golden silver pink".split()
TOYS = """ball kite hat scarf drum bell boat blanket book lantern button ribbon whistle basket umbrella key cup
balloon coin doll bag box bucket flute mirror necklace cap spoon stone""".split()
FOODS = "apple pear carrot cookie cake pie berry nut sandwich pancake banana bun peach".split()
TALENTS = ["sing", "dance", "paint", "draw", "cook", "climb", "run", "jump", "whistle", "read", "build things",
           "play the drum", "tell stories", "juggle"]

WORDS = {
    "small": ["little", "small", "tiny", "young"],
    "nature": ["kind", "brave", "curious", "shy", "clever", "cheerful", "gentle", "funny", "quiet", "busy", "friendly",
               "playful", "polite", "lazy", "proud", "careful", "hungry", "sleepy"],
    "good": ["kind", "brave", "clever", "cheerful", "gentle", "funny", "friendly", "playful", "polite"],
    "nice": ["kind", "wise", "friendly", "gentle", "helpful", "old", "clever"],
    "happy": ["happy", "very happy", "so happy", "glad", "full of joy", "very glad"],
    "sad": ["sad", "very sad", "upset", "unhappy"],
    "scared": ["scared", "afraid", "a little afraid", "very scared", "worried"],
    "excited": ["excited", "very excited", "full of excitement", "curious"],
    "sunny": ["sunny", "warm", "bright", "windy", "cold", "quiet", "lovely", "cloudy", "fine", "beautiful"],
    "time": ["day", "morning", "afternoon"],
    "weekday": ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"],
    "season": ["spring", "summer", "autumn", "winter"],
    "colour": COLOURS,
    "toy": TOYS,
    "food": FOODS,
    "shiny": ["shiny", "pretty", "old", "new", "beautiful", "lovely", "little", "big", "soft", "round"],
    "thanked": ["thanked", "hugged", "smiled at"],
    "walked": ["walked", "went", "hurried", "ran", "wandered"],
    "laughed": ["laughed", "smiled", "giggled"],
    "looked": ["looked", "searched"],
    "number": ["two", "three", "four", "five", "six", "seven", "ten"],
}
